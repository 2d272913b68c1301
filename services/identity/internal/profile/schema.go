package profile

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sojournhq/sojourn/internal/domain/call"
)

// schema is the traits of users or of accounts, and where they are read from.
type schema struct {
	traits []trait
	places map[string][]place // by canonical path
}

// place says what a field at a path means for one trait.
type place struct {
	trait int
	// rank decides between fields of one call: the smaller one wins.
	rank int
	// above says that the path is of an object in which the trait may stand. Whatever else is sent in its place clears the trait.
	above bool
	hint  bool
}

func newSchema(traits []trait) *schema {
	s := &schema{traits: traits, places: map[string][]place{}}
	for i, t := range traits {
		// Rank 0 is the contract's own name to the letter, which candidates sees to.
		rank := 1
		s.add(t.name, place{trait: i, rank: rank})
		for _, spelling := range t.others {
			rank++
			s.add(spelling, place{trait: i, rank: rank})
		}
		rank++
		if t.hint != "" {
			s.add(t.hint, place{trait: i, rank: rank, hint: true})
		}
		above := map[string]bool{}
		for _, spelling := range t.others {
			if object, _, nested := strings.Cut(spelling, "."); nested && !above[object] {
				above[object] = true
				s.add(object, place{trait: i, rank: rank + 1, above: true})
			}
		}
	}
	return s
}

// newPathSchema returns a schema in which each path is a trait of its own, by the name of the path.
func newPathSchema(paths []string) *schema {
	s := &schema{places: map[string][]place{}}
	for _, path := range paths {
		if slices.ContainsFunc(s.traits, func(t trait) bool { return t.name == path }) {
			continue
		}
		i := len(s.traits)
		s.traits = append(s.traits, trait{name: path})
		s.add(path, place{trait: i, rank: 1})
		for _, object := range call.Objects(path) {
			s.add(object, place{trait: i, rank: 2, above: true})
		}
	}
	return s
}

func (s *schema) add(spelling string, p place) {
	key := call.Canonical(spelling)
	s.places[key] = append(s.places[key], p)
}

// mapped says whether a trait is read from path, or it is that of a mapped dimension.
func (s *schema) mapped(path string) bool {
	return call.IsDimension(path) || len(s.places[call.Canonical(path)]) > 0
}

// reads says whether a trait is read from the canonical path itself, whatever its value. From no schema none is.
func (s *schema) reads(path string) bool {
	return s != nil && slices.ContainsFunc(s.places[path], func(p place) bool { return !p.above && !p.hint })
}

// readsFrom says whether a trait is read from a path, or from one of the objects around it, whatever the value.
func (s *schema) readsFrom(path string) bool {
	return s.reads(call.Canonical(path)) ||
		slices.ContainsFunc(call.Objects(path), func(object string) bool { return s.reads(call.Canonical(object)) })
}

// candidate is a field that may be the value of a trait, or stands where that should be.
type candidate struct {
	Field

	rank int
	// above: it stands in the place of the object that should have the value; displaces: so that a value is gone.
	above, displaces bool
	// below: it stands in an object in the place of the value.
	below bool
}

// beats says whether c is to be taken rather than d: the later call decides, and within one call what says something, then the better
// spelling.
func (c candidate) beats(d candidate) bool {
	return cmp.Or(c.At.Compare(d.At), compareBool(d.above, c.above), compareBool(d.blank(), c.blank()), cmp.Compare(d.rank, c.rank),
		cmp.Compare(d.Path, c.Path)) > 0
}

// blank says whether the candidate is text with nothing in it.
func (c candidate) blank() bool {
	return c.Value.Kind == call.String && strings.TrimSpace(c.Value.Text) == ""
}

// misplaced says whether the candidate is an object where a value belongs, or anything else where the object belongs that had the value.
func (c candidate) misplaced() bool { return c.below || c.displaces }

// clears says whether the candidate means that there is no value: null, text with nothing in it, or anything in the place of an object that
// has none.
func (c candidate) clears() bool {
	return !c.misplaced() && (c.above || c.Value.Kind == call.Null || c.blank())
}

// candidates returns the field to read each trait from, by the trait's name.
func (s *schema) candidates(fields []Field, settings Settings) map[string]candidate {
	best := map[string]candidate{}
	for i := range fields {
		s.visit(&fields[i], settings, func(name string, c candidate) {
			if old, ok := best[name]; !ok || c.beats(old) {
				best[name] = c
			}
		})
	}
	for name, c := range best {
		if c.above && c.Value.Kind != call.Null && !c.blank() && s.valued(name, fields, settings) {
			c.displaces = true
			best[name] = c
		}
	}
	return best
}

// valued says whether any field has a value for a trait, or an object in its place.
func (s *schema) valued(name string, fields []Field, settings Settings) (some bool) {
	for i := range fields {
		s.visit(&fields[i], settings, func(of string, c candidate) { some = some || of == name && !c.clears() })
	}
	return some
}

// visit visits what a field is a candidate for, by the names of the traits.
func (s *schema) visit(f *Field, settings Settings, visit func(name string, c candidate)) {
	at := func(path string, below bool) {
		for _, p := range s.places[call.Canonical(path)] {
			t := &s.traits[p.trait]
			if below && (p.above || p.hint) || p.hint && !settings.usable(t, f.Value) {
				continue
			}
			c := candidate{Field: *f, rank: p.rank, above: p.above, below: below}
			if path == t.name {
				c.rank = 0
			}
			visit(t.name, c)
		}
	}
	at(f.Path, false)
	for _, object := range call.Objects(f.Path) {
		at(object, true)
	}
}
