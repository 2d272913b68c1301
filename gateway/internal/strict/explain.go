package strict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// maxExplained is how many values of a list are looked at one by one, which costs more than reading them.
const maxExplained = 100

// explain returns what is wrong with a message in JSON that protojson cannot read.
func (a *api) explain(data []byte, of protoreflect.MessageDescriptor) error {
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return errors.New("the message is empty: the least there is to send is {}")
	case !utf8.Valid(data):
		return errors.New("the message is not valid UTF-8")
	}
	var all json.RawMessage
	if wrong := new(json.SyntaxError); errors.As(json.Unmarshal(data, &all), &wrong) {
		if wrong.Offset >= int64(len(data)) {
			return errors.New("the message is not JSON: it ends too early")
		}
		return fmt.Errorf("the message is not JSON: it goes wrong at byte %d", wrong.Offset)
	}
	if err := a.explainObject(data, of, ""); err != nil {
		return err
	}
	return fmt.Errorf("the message cannot be read as one of %s", nameOf(of))
}

// member is a name of a JSON object with its value.
type member struct {
	name  string
	value json.RawMessage
}

// members returns those of a JSON object in their order, also those that are there twice; false if data, which is valid JSON, is no object.
func members(data []byte) (all []member, ok bool) {
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	for d.More() {
		var m member
		t, err := d.Token()
		if err != nil || d.Decode(&m.value) != nil {
			return nil, false
		}
		m.name, _ = t.(string)
		all = append(all, m)
	}
	return all, true
}

// explainObject returns what is wrong with an object that is to be a message; nil if nothing is found. Path is where it stands, with a dot
// behind it; empty for the request itself.
func (a *api) explainObject(data []byte, of protoreflect.MessageDescriptor, path string) error {
	all, ok := members(data)
	if !ok {
		return fmt.Errorf("%s must be a JSON object", at(path))
	}
	seen := map[protoreflect.FieldNumber]bool{}
	for _, m := range all {
		field := fieldNamed(of, m.name)
		switch {
		case field == nil:
			return a.unknownField(of, path, m.name)
		case seen[field.Number()]:
			return fmt.Errorf("%s%s is there twice", path, field.JSONName())
		}
		seen[field.Number()] = true
		if err := a.explainField(m.value, field, path+field.JSONName()); err != nil {
			return err
		}
	}
	return nil
}

// at names what stands at a path.
func at(path string) string {
	if path == "" {
		return "the message"
	}
	return path[:len(path)-1]
}

func fieldNamed(of protoreflect.MessageDescriptor, name string) protoreflect.FieldDescriptor {
	if field := of.Fields().ByJSONName(name); field != nil {
		return field
	}
	return of.Fields().ByTextName(name)
}

// explainField does the same with a field's value.
func (a *api) explainField(value json.RawMessage, field protoreflect.FieldDescriptor, path string) error {
	switch {
	case isReadable(value, field):
		return nil
	case field.IsMap():
		return fmt.Errorf("%s must be a JSON object with values of one type", path)
	case !field.IsList():
		return a.explainValue(value, field, path)
	}
	var items []json.RawMessage
	if json.Unmarshal(value, &items) != nil {
		return fmt.Errorf("%s must be a list", path)
	}
	for i, item := range items[:min(len(items), maxExplained)] {
		if list := append(append([]byte{'['}, item...), ']'); !isReadable(list, field) {
			return a.explainValue(item, field, fmt.Sprintf("%s[%d]", path, i))
		}
	}
	return fmt.Errorf("%s has a value in it that cannot be read", path)
}

// isReadable says whether a field alone can be read. So protojson decides about each field as it decided about all of them.
func isReadable(value []byte, field protoreflect.FieldDescriptor) bool {
	name, err := json.Marshal(field.JSONName())
	if err != nil {
		return false
	}
	object := append(append(append([]byte{'{'}, name...), ':'), value...)
	return protojson.Unmarshal(append(object, '}'), dynamicpb.NewMessage(field.ContainingMessage())) == nil
}

// explainValue says what one value of a field, which cannot be read, must be.
func (a *api) explainValue(value json.RawMessage, field protoreflect.FieldDescriptor, path string) error {
	var text string
	isText := json.Unmarshal(value, &text) == nil && value[0] == '"'
	switch kind := field.Kind(); kind {
	case protoreflect.EnumKind:
		if isText {
			return unknownValue(field.Enum(), path, text)
		}
		return fmt.Errorf("%s must be %s", path, valueList(field.Enum()))
	case protoreflect.MessageKind, protoreflect.GroupKind:
		if must, known := wellKnown[field.Message().FullName()]; known {
			return fmt.Errorf("%s must be %s", path, must)
		}
		return a.explainObject(value, field.Message(), path+".")
	case protoreflect.StringKind:
		if isText {
			return fmt.Errorf("%s has half of a surrogate pair in it", path)
		}
		return fmt.Errorf("%s must be text", path)
	case protoreflect.BoolKind:
		return fmt.Errorf("%s must be true or false", path)
	case protoreflect.BytesKind:
		return fmt.Errorf("%s must be base64", path)
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return fmt.Errorf("%s must be a number", path)
	default:
		return fmt.Errorf("%s must be a whole number (%v)", path, kind)
	}
}

// wellKnown says how messages are written that are no objects in JSON.
var wellKnown = map[protoreflect.FullName]string{
	"google.protobuf.Timestamp": "a time such as 2026-11-01T00:00:00Z",
	"google.protobuf.Duration":  "a duration such as 1.5s",
}
