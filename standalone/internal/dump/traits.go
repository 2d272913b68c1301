package dump

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
)

// createdAt is the one trait that the contract does not name in snake case.
const createdAt = "created_at"

// traits returns the traits that are set, by the contract's names.
func traits(m proto.Message) map[string]any {
	set := map[string]any{}
	m.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if field.Name() == createdAt {
			if t, ok := value.Message().Interface().(*timestamppb.Timestamp); ok {
				set["createdAt"] = clock(t)
			}
			return true
		}
		set[string(field.Name())] = value.Interface()
		return true
	})
	return set
}

// dimensions returns the values of dimensions by their names.
func dimensions(all []*identityv1.Dimension) map[string]any {
	values := map[string]any{}
	for _, d := range all {
		switch v := d.GetValue().(type) {
		case *identityv1.Dimension_String_:
			values[d.GetName()] = v.String_
		case *identityv1.Dimension_Number:
			values[d.GetName()] = v.Number
		case *identityv1.Dimension_Date:
			values[d.GetName()] = clock(v.Date)
		}
	}
	return values
}

// codes returns the codes of problems, in the order in which the service tells them.
func codes(problems []*identityv1.Problem) []string {
	all := make([]string, 0, len(problems))
	for _, p := range problems {
		all = append(all, p.GetCode())
	}
	return all
}
