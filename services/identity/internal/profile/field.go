// Package profile is what is known of a user or an account: the raw fields that calls sent, merged so that the latest one stands, and the
// view of them that the contract's traits give.
//
// Raw fields are the truth and are kept as they were sent, whatever their names. The view is derived from them when it is asked for, so
// that a tier which settings name today makes yesterday's calls visible without sending them again.
package profile

import (
	"cmp"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/call"
)

// Limits of what is kept, in bytes.
const (
	// MaxField is how large one field may be, path and text together. Of a larger one only the path stays, and that it was too large.
	MaxField = 8 << 10
	// MaxPath is how long a path may be. A field with a longer one is not kept at all; no trait has such a name.
	MaxPath = call.MaxPath
	// MaxFields is how large all fields of one user or account may be together.
	MaxFields = 64 << 10
)

// Field is the latest value that was sent for one trait.
type Field struct {
	// Path is where the trait stood, as in call.Trait.
	Path  string
	Value call.Value
	// TooLarge says that a value was sent and not kept; Value is then empty.
	TooLarge bool
	// At is the call that sent it. Its own timestamp is not kept, so it is 0 here.
	At call.Position
}

// emptyObject is sent by clients that know nothing of what they name. It says nothing of any field within, as an absent field says nothing.
const emptyObject = "{}"

// fields returns the traits of a call as fields, within the limits of one field. An empty object is a field only where no object belongs.
func (s *schema) fields(c *call.Call) []Field {
	at := call.Position{TimeMS: c.TimeMS, MessageID: c.MessageID}
	fields := make([]Field, 0, len(c.Traits))
	for _, t := range c.Traits {
		switch {
		case len(t.Path) > MaxPath, t.Value.Kind == call.JSON && t.Value.Text == emptyObject && !s.readsFrom(t.Path):
		case len(t.Path)+len(t.Value.Text) > MaxField:
			fields = append(fields, Field{Path: t.Path, TooLarge: true, At: at})
		default:
			fields = append(fields, Field{Path: t.Path, Value: t.Value, At: at})
		}
	}
	return fields
}

// Join returns the fields of a and b, of two with the same path the later one, in order of path. Joining is commutative, associative
// and idempotent. A and b stay as they are.
func Join(a, b []Field) []Field {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(f, g Field) int { return cmp.Or(cmp.Compare(f.Path, g.Path), g.compare(f)) })
	return slices.CompactFunc(all, func(f, g Field) bool { return f.Path == g.Path })
}

// compare orders fields of one path; the greater one is the later. No two calls of one sender have the same position, but if two have,
// something must decide, and it must not be the order in which they came.
func (f Field) compare(g Field) int {
	return cmp.Or(f.At.Compare(g.At), compareBool(f.TooLarge, g.TooLarge), cmp.Compare(f.Value.Kind, g.Value.Kind),
		cmp.Compare(f.Value.Text, g.Value.Text))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// size is what a field counts against MaxFields.
func (f Field) size() int { return len(f.Path) + len(f.Value.Text) + len(f.At.MessageID) }

// fit returns fields within MaxFields, in their order. Fields that no trait of the contract is read from go first, and among equals the
// oldest.
func fit(fields []Field, mapped func(path string) bool) []Field {
	total := 0
	for _, f := range fields {
		total += f.size()
	}
	if total <= MaxFields {
		return fields
	}
	order := slices.Clone(fields)
	slices.SortFunc(order, func(f, g Field) int {
		return cmp.Or(compareBool(mapped(f.Path), mapped(g.Path)), f.At.Compare(g.At), cmp.Compare(f.Path, g.Path))
	})
	dropped := map[string]bool{}
	for _, f := range order {
		if total <= MaxFields {
			break
		}
		dropped[f.Path] = true
		total -= f.size()
	}
	return slices.DeleteFunc(slices.Clone(fields), func(f Field) bool { return dropped[f.Path] })
}
