package strict

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// ReadJSON reads a message as the JSON codec does, and returns why it is refused.
func ReadJSON(services []protoreflect.ServiceDescriptor, data []byte, m proto.Message) error {
	return newAPI(services).readJSON(data, m)
}

// ReadBinary does the same in Protobuf's encoding.
func ReadBinary(data []byte, m proto.Message) error { return readBinary(data, m) }

// Differing counts the letters in which two names differ.
func Differing(a, b string) int { return differing(a, b) }
