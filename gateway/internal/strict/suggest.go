package strict

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// maxNamed is how many other methods are named at most that have a field: more say nothing.
const maxNamed = 3

// api knows the methods by the messages that they take.
type api struct {
	methods []protoreflect.MethodDescriptor
	byInput map[protoreflect.FullName]protoreflect.MethodDescriptor
}

func newAPI(services []protoreflect.ServiceDescriptor) *api {
	a := &api{byInput: map[protoreflect.FullName]protoreflect.MethodDescriptor{}}
	for _, s := range services {
		for i := range s.Methods().Len() {
			m := s.Methods().Get(i)
			a.methods = append(a.methods, m)
			a.byInput[m.Input().FullName()] = m
		}
	}
	return a
}

// nameOf is what a message is called: a request as the method that takes it.
func nameOf(of protoreflect.MessageDescriptor) string {
	return strings.TrimSuffix(string(of.Name()), "Request")
}

// unknownField says that a message has no field of a name, and what may have been meant: a field with nearly that name, the method that has
// one, or any of the fields that there are.
func (a *api) unknownField(of protoreflect.MessageDescriptor, path, name string) error {
	near, distance := nearest(name, namesOf(of), plain)
	hint := takes(of)
	if near != "" {
		hint = "did you mean " + near + "?"
	}
	elsewhere := ""
	if others := a.methodsWith(of, name); len(others) > 0 && (near == "" || distance > 0) {
		elsewhere = " but of " + list(others, "and")
	}
	name = path + name
	if !isName(name[len(path):]) {
		name = "a name in " + at(path)
	}
	return fmt.Errorf("%s is not a field of %s%s: %s", name, nameOf(of), elsewhere, hint)
}

// methodsWith returns the other methods that have a field of this name: of the same service, or else of any. Too many are none.
func (a *api) methodsWith(of protoreflect.MessageDescriptor, name string) []string {
	own := a.byInput[of.FullName()]
	if own == nil {
		return nil
	}
	var same, all []string
	for _, m := range a.methods {
		if m == own || !slices.ContainsFunc(namesOf(m.Input()), func(n string) bool { return plain(n) == plain(name) }) {
			continue
		}
		all = append(all, string(m.Name()))
		if m.Parent() == own.Parent() {
			same = append(same, string(m.Name()))
		}
	}
	if len(same) > 0 {
		all = same
	}
	if len(all) > maxNamed {
		return nil
	}
	return all
}

// unknownValue says that an enum has no value of a name, and what may have been meant.
func unknownValue(of protoreflect.EnumDescriptor, path, name string) error {
	values, prefix := valuesOf(of)
	hint := "it must be " + list(values, "or")
	short := func(value string) string { return strings.TrimPrefix(plain(value), plain(prefix)) }
	if near, _ := nearest(name, values, short); near != "" {
		hint = "did you mean " + near + "?"
	}
	if !isName(name) {
		name = "what was sent"
	}
	return fmt.Errorf("%s cannot be %s: %s", path, name, hint)
}

// valuesOf returns the values of an enum that can be asked for, and how their names begin.
func valuesOf(of protoreflect.EnumDescriptor) (names []string, prefix string) {
	for i := range of.Values().Len() {
		name := string(of.Values().Get(i).Name())
		if p, unspecified := strings.CutSuffix(name, "UNSPECIFIED"); unspecified {
			prefix = p
			continue
		}
		names = append(names, name)
	}
	return names, prefix
}

func valueList(of protoreflect.EnumDescriptor) string {
	names, _ := valuesOf(of)
	return list(names, "or")
}

// takes says which fields a message has.
func takes(of protoreflect.MessageDescriptor) string {
	fields := namesOf(of)
	if len(fields) == 0 {
		return nameOf(of) + " takes no fields"
	}
	return nameOf(of) + " takes " + list(fields, "and")
}

// namesOf returns the names of the fields of a message, as JSON has them.
func namesOf(of protoreflect.MessageDescriptor) []string {
	names := make([]string, 0, of.Fields().Len())
	for i := range of.Fields().Len() {
		names = append(names, of.Fields().Get(i).JSONName())
	}
	return names
}

// takesNumbers says which fields a message has, with their numbers.
func takesNumbers(of protoreflect.MessageDescriptor) string {
	names := namesOf(of)
	if len(names) == 0 {
		return takes(of)
	}
	for i := range names {
		names[i] = fmt.Sprintf("%s (%d)", names[i], of.Fields().Get(i).Number())
	}
	return nameOf(of) + " takes " + list(names, "and")
}

// list writes names as people do: a, b and c.
func list(names []string, last string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " " + last + " " + names[len(names)-1]
}
