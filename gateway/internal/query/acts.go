package query

import (
	"context"
	"log/slog"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
)

// acts writes into the log what admins do: who, by the name of their token, what, to which workspace or store, and whether it was done. It
// is a warning, so that it is there by default: what is deleted is gone, and a copy holds everything. What a request names and nobody knows
// is not written, as nothing is that is sent.
type acts struct {
	handlerOnly

	log *slog.Logger
	// named has what requests may name and the log may hold: workspaces of the configuration, and the stores.
	named func() map[string]bool
}

func newActs(from workspace.Provider, log *slog.Logger) acts {
	return acts{log: log, named: workspace.Follow(from, func(c *workspace.Config) map[string]bool {
		named := map[string]bool{"identity": true, "events": true, "sessions": true}
		for i := range c.Workspaces {
			named[c.Workspaces[i].ID] = true
		}
		return named
	})}
}

// WrapUnary implements connect.Interceptor.
func (a acts) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		began := time.Now()
		resp, err := next(ctx, req)
		a.write(ctx, req.Spec(), req.Any(), time.Since(began), err)
		return resp, err
	}
}

// WrapStreamingHandler implements connect.Interceptor.
func (a acts) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		began, asked := time.Now(), &askedConn{StreamingHandlerConn: conn}
		err := next(ctx, asked)
		a.write(ctx, conn.Spec(), asked.request, time.Since(began), err)
		return err
	}
}

// askedConn keeps what it received.
type askedConn struct {
	connect.StreamingHandlerConn

	request any
}

// Receive implements connect.StreamingHandlerConn.
func (c *askedConn) Receive(request any) error {
	err := c.StreamingHandlerConn.Receive(request)
	if err == nil {
		c.request = request
	}
	return err
}

// write writes one line. What is asked for page by page has one for the first page, and one for each that fails.
func (a acts) write(ctx context.Context, spec connect.Spec, request any, took time.Duration, err error) {
	who, _ := ctx.Value(admissionKey{}).(admission)
	message, isProto := request.(proto.Message)
	if isProto && text(message, "page_token") != "" && err == nil {
		return
	}
	attrs := []slog.Attr{slog.String("procedure", spec.Procedure), slog.String("admin", who.name)}
	for _, name := range []protoreflect.Name{"workspace", "store", "kind"} {
		if isProto && a.named()[text(message, name)] {
			attrs = append(attrs, slog.String(string(name), text(message, name)))
		}
	}
	attrs = append(attrs, slog.String("code", codeOf(err)), slog.Duration("took", took))
	a.log.LogAttrs(ctx, slog.LevelWarn, "an admin token was used", attrs...)
}

// text returns a field of a message that is text, or "".
func text(m proto.Message, name protoreflect.Name) string {
	field := m.ProtoReflect().Descriptor().Fields().ByName(name)
	if field == nil || field.Kind() != protoreflect.StringKind || field.IsList() {
		return ""
	}
	return m.ProtoReflect().Get(field).String()
}
