package strict

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// binaryCodec reads and writes messages in Protobuf's encoding.
type binaryCodec struct{}

// Name implements connect.Codec.
func (binaryCodec) Name() string { return "proto" }

// Marshal implements connect.Codec.
func (c binaryCodec) Marshal(message any) ([]byte, error) { return c.MarshalAppend(nil, message) }

// MarshalAppend is what Connect calls in place of Marshal where there is one.
func (binaryCodec) MarshalAppend(dst []byte, message any) ([]byte, error) {
	m, err := asProto(message)
	if err != nil {
		return nil, err
	}
	return proto.MarshalOptions{}.MarshalAppend(dst, m)
}

// Unmarshal implements connect.Codec.
func (binaryCodec) Unmarshal(data []byte, message any) error {
	m, err := asProto(message)
	if err != nil {
		return err
	}
	if why := readBinary(data, m); why != nil {
		refuse(m.ProtoReflect(), why)
	}
	return nil
}

func readBinary(data []byte, m proto.Message) error {
	if proto.Unmarshal(data, m) != nil {
		return fmt.Errorf("the message is not one of %s in Protobuf's encoding", nameOf(m.ProtoReflect().Descriptor()))
	}
	return findUnknown(m.ProtoReflect(), "")
}

// jsonCodec reads and writes messages in JSON.
type jsonCodec struct {
	api  *api
	name string
}

// Name implements connect.Codec.
func (c jsonCodec) Name() string { return c.name }

// Marshal implements connect.Codec.
func (c jsonCodec) Marshal(message any) ([]byte, error) { return c.MarshalAppend(nil, message) }

// MarshalAppend is what Connect calls in place of Marshal where there is one.
func (jsonCodec) MarshalAppend(dst []byte, message any) ([]byte, error) {
	m, err := asProto(message)
	if err != nil {
		return nil, err
	}
	return protojson.MarshalOptions{}.MarshalAppend(dst, m)
}

// Unmarshal implements connect.Codec.
func (c jsonCodec) Unmarshal(data []byte, message any) error {
	m, err := asProto(message)
	if err != nil {
		return err
	}
	if why := c.api.readJSON(data, m); why != nil {
		refuse(m.ProtoReflect(), why)
	}
	return nil
}

// readJSON leaves it to protojson whether a message can be read; what is wrong with one that cannot is found out by explain, because
// protojson's errors change from build to build and quote what was sent.
func (a *api) readJSON(data []byte, m proto.Message) error {
	if protojson.Unmarshal(data, m) != nil {
		return a.explain(data, m.ProtoReflect().Descriptor())
	}
	return findUnknown(m.ProtoReflect(), "")
}

func asProto(message any) (proto.Message, error) {
	m, ok := message.(proto.Message)
	if !ok {
		return nil, errors.New("the message is none of Protobuf's")
	}
	return m, nil
}
