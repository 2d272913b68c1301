// Package strict reads requests strictly: a field or an enum value that the API does not have is refused, and the error says what may have
// been meant. Connect's own codecs drop unknown fields, so that a misspelt condition would be answered with the figures of all accounts.
//
// It is for the public API only. Between gateway and services unknown fields are ignored, as ever: there versions may differ while they
// are rolled out.
package strict

import (
	"context"
	"errors"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Requests returns the option that lets a handler refuse requests that hold anything unknown, with INVALID_ARGUMENT, in JSON and in binary,
// over every protocol. Services are those of the public API: their methods are suggested where a field is one of another method.
//
// A refused request runs through all interceptors before this option, so that they can count it, and through none after it.
func Requests(services ...protoreflect.ServiceDescriptor) connect.HandlerOption {
	a := newAPI(services)
	return connect.WithHandlerOptions(
		connect.WithCodec(binaryCodec{}),
		connect.WithCodec(jsonCodec{a, "json"}),
		connect.WithCodec(jsonCodec{a, "json; charset=utf-8"}),
		connect.WithInterceptors(interceptor{}),
	)
}

// refusalField is the number of the unknown field in which a codec leaves the reason of a refusal. A codec knows neither the request's
// context nor the interceptors, and Connect puts "unmarshal message" in front of whatever error it returns. So the codec returns no error,
// empties the message and leaves the reason there. No client can do the same, because its unknown fields are refused.
const refusalField = protowire.MaxValidNumber

// refuse empties a message and leaves in it why it is refused.
func refuse(m protoreflect.Message, why error) {
	proto.Reset(m.Interface())
	left := protowire.AppendTag(nil, refusalField, protowire.BytesType)
	m.SetUnknown(protowire.AppendString(left, why.Error()))
}

// refusalOf returns why a request is refused; nil if it is not.
func refusalOf(request any) error {
	m, ok := request.(proto.Message)
	if !ok {
		return nil
	}
	left := m.ProtoReflect().GetUnknown()
	if len(left) == 0 {
		return nil
	}
	why := "the request cannot be read"
	if number, _, n := protowire.ConsumeTag(left); n > 0 && number == refusalField {
		if text, m := protowire.ConsumeString(left[n:]); m > 0 {
			why = text
		}
	}
	return connect.NewError(connect.CodeInvalidArgument, errors.New(why))
}

// interceptor answers requests that a codec refused.
type interceptor struct{}

// WrapUnary implements connect.Interceptor.
func (interceptor) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		if err := refusalOf(req.Any()); err != nil {
			return nil, err
		}
		return next(ctx, req)
	}
}

// WrapStreamingClient implements connect.Interceptor.
func (interceptor) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

// WrapStreamingHandler implements connect.Interceptor.
func (interceptor) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		return next(ctx, strictConn{conn})
	}
}

// strictConn receives only requests that are not refused.
type strictConn struct{ connect.StreamingHandlerConn }

// Receive implements connect.StreamingHandlerConn.
func (c strictConn) Receive(request any) error {
	if err := c.StreamingHandlerConn.Receive(request); err != nil {
		return err
	}
	return refusalOf(request)
}
