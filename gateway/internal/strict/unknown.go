package strict

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// findUnknown returns an error that names an unknown field or enum value of a message, at any depth; nil if there is none. Path is where
// the message stands in the request, with a dot behind it; empty for the request itself.
func findUnknown(m protoreflect.Message, path string) error {
	if unknown := m.GetUnknown(); len(unknown) > 0 {
		return unknownNumber(m.Descriptor(), path, unknown)
	}
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		if field := fields.Get(i); m.Has(field) {
			if err := findIn(field, m.Get(field), path+field.JSONName()); err != nil {
				return err
			}
		}
	}
	return nil
}

// findIn does the same with the value of a field.
func findIn(field protoreflect.FieldDescriptor, value protoreflect.Value, path string) error {
	switch {
	case field.IsList():
		list := value.List()
		for i := range list.Len() {
			if err := findInOne(field, list.Get(i), fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
		return nil
	case field.IsMap():
		var err error
		value.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
			err = findInOne(field.MapValue(), v, path)
			return err == nil
		})
		return err
	}
	return findInOne(field, value, path)
}

func findInOne(field protoreflect.FieldDescriptor, value protoreflect.Value, path string) error {
	switch {
	case field.Message() != nil:
		return findUnknown(value.Message(), path+".")
	case field.Enum() != nil && field.Enum().Values().ByNumber(value.Enum()) == nil:
		return fmt.Errorf("%s cannot be %d: it must be %s", path, value.Enum(), valueList(field.Enum()))
	}
	return nil
}

// unknownNumber says what is wrong with the first of a message's unknown fields. In binary they have no names.
func unknownNumber(of protoreflect.MessageDescriptor, path string, unknown protoreflect.RawFields) error {
	number, _, n := protowire.ConsumeTag(unknown)
	if n < 0 {
		return fmt.Errorf("the message is not one of %s in Protobuf's encoding", nameOf(of))
	}
	if field := of.Fields().ByNumber(number); field != nil {
		return fmt.Errorf("%s%s, field number %d, has another type than the one sent", path, field.JSONName(), number)
	}
	return fmt.Errorf("%sfield number %d is not one of %s: %s", path, number, nameOf(of), takesNumbers(of))
}
