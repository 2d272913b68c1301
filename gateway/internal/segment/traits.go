package segment

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sojournhq/sojourn/internal/domain/call"
)

// maxTraitBytes is how much the leaves of one call may hold, their paths included. A long key above many leaves stands in every path, so
// that a small call could otherwise become a huge one.
const maxTraitBytes = 256 << 10

// escape makes a key a part of a path: a dot in it is no step.
func escape(key string) string {
	if !strings.ContainsAny(key, `\.`) {
		return key
	}
	return strings.ReplaceAll(strings.ReplaceAll(key, `\`, `\\`), `.`, `\.`)
}

// readTraits takes the traits of identify and group calls, a leaf at a time.
func (p *parser) readTraits() *Problem {
	if p.call.Type != call.Identify && p.call.Type != call.Group {
		return nil
	}
	if !absent(p.env.traits) && p.env.traits.Kind() != jsontext.KindBeginObject {
		return &Problem{"traits_not_object", "traits is not an object", "traits"}
	}
	f := flattener{room: maxTraitBytes}
	switch {
	case absent(p.env.traits):
	case p.outline != nil:
		f.outlined("", p.outline, p.outline.member(p.root, "traits"))
	default:
		f.read(p.reader(), p.env.traits)
	}
	if p.call.Type == call.Identify {
		if problem := p.readContextTraits(&f); problem != nil {
			return problem
		}
	}
	if f.room < 0 {
		return &Problem{"traits_too_large", "traits are too large: use shorter keys, or send fewer", "traits"}
	}
	p.call.Traits = f.traits
	return nil
}

// readContextTraits takes of the traits in the context those of fields that the call's own traits do not name: some clients send them only
// there. What is no object has none.
func (p *parser) readContextTraits(f *flattener) *Problem {
	v := p.inOwnContext("traits")
	shared := len(v) == 0
	if shared {
		v = p.inContext("traits")
	}
	if v.Kind() != jsontext.KindBeginObject {
		return nil
	}
	more := flattener{room: f.room}
	if !shared || p.o.Batch.spend(len(v)) {
		more.read(p.reader(), v)
		if !shared || p.o.Batch.spend(f.room-more.room+perTrait*len(more.traits)) {
			f.room, f.traits = more.room, append(f.traits, missing(f.traits, more.traits)...)
			return nil
		}
	}
	return &Problem{
		"traits_too_large", "context.traits of the batch are too large for so many calls: send them in the calls, or fewer calls at once",
		"context.traits",
	}
}

// missing returns those of more that are of fields which traits do not name. Two spellings that call.Canonical makes one are of one field,
// and a field of an object is missing only if traits have nothing else in the place of the object.
func missing(traits, more []call.Trait) []call.Trait {
	if len(traits) == 0 {
		return more
	}
	named, around := map[string]bool{}, map[string]bool{}
	for _, t := range traits {
		if t.Value == noFields {
			continue
		}
		path := call.Canonical(t.Path)
		named[path] = true
		for _, object := range call.Objects(path) {
			around[object] = true
		}
	}
	return slices.DeleteFunc(more, func(t call.Trait) bool {
		path := call.Canonical(t.Path)
		return named[path] || around[path] || slices.ContainsFunc(call.Objects(path), func(object string) bool { return named[object] })
	})
}

// noFields is an object without fields, as a leaf.
//
//nolint:gochecknoglobals // nothing changes it
var noFields = call.Value{Kind: call.JSON, Text: "{}"}

// flattener turns an object into its leaves, while there is room.
type flattener struct {
	traits []call.Trait
	room   int
}

// outlined takes the leaves of an object in an outline.
func (f *flattener) outlined(prefix string, o *outline, object int) {
	o.within(object, func(n int) bool {
		path := prefix + escape(string(o.name(n)))
		if o.kind(n) == '{' && int(o.nodes[n].next) > n+1 {
			f.outlined(path+".", o, n)
		} else {
			f.leaf(path, o.of(n))
		}
		return f.room >= 0
	})
}

// read takes the leaves of an object.
func (f *flattener) read(r *reader, object jsontext.Value) {
	d := r.open(object, true)
	if _, err := d.ReadToken(); err == nil {
		f.object("", d)
	}
}

// object takes the leaves of an object whose opening d has read. What is read here was read before, so it is readable.
func (f *flattener) object(prefix string, d *jsontext.Decoder) {
	for f.room >= 0 && d.PeekKind() == jsontext.KindString {
		name, err := d.ReadToken()
		if err != nil {
			return
		}
		path := prefix + escape(name.String())
		if d.PeekKind() != jsontext.KindBeginObject {
			f.value(path, d)
			continue
		}
		if _, err := d.ReadToken(); err != nil {
			return
		}
		if d.PeekKind() == jsontext.KindEndObject {
			f.leaf(path, jsontext.Value("{}"))
		} else {
			f.object(path+".", d)
		}
		if _, err := d.ReadToken(); err != nil {
			return
		}
	}
}

func (f *flattener) value(path string, d *jsontext.Decoder) {
	if value, err := d.ReadValue(); err == nil {
		f.leaf(path, value)
	}
}

func (f *flattener) leaf(path string, value jsontext.Value) { f.take(path, leafValue(value)) }

func (f *flattener) take(path string, v call.Value) {
	f.room -= len(path) + len(v.Text)
	if f.room >= 0 {
		f.traits = append(f.traits, call.Trait{Path: path, Value: v})
	}
}

func leafValue(value jsontext.Value) call.Value {
	switch value.Kind() {
	case jsontext.KindString:
		s, _ := text(value)
		return call.Value{Kind: call.String, Text: s}
	case jsontext.KindNumber:
		return call.Value{Kind: call.Number, Text: string(value)}
	case jsontext.KindTrue, jsontext.KindFalse:
		return call.Value{Kind: call.Bool, Text: string(value)}
	case jsontext.KindBeginArray, jsontext.KindBeginObject:
		// Formatting fails for what cannot be read, and this was read before.
		compact, _ := jsontext.AppendFormat(nil, value)
		return call.Value{Kind: call.JSON, Text: string(compact)}
	default:
		return call.Value{Kind: call.Null}
	}
}
