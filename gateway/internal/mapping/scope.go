package mapping

import (
	"slices"
	"strings"

	"github.com/sojournhq/sojourn/internal/domain/call"
)

// Event is the name of a call's event without the space around it, if it has one. Only track calls do.
type Event struct {
	Name string
	Set  bool
}

// scope is the calls that something is for, by type and event.
type scope struct {
	types uint8 // a bit for each; 0: all
	// Events by their names, and by patterns of their names. Neither: all, and calls that have none.
	names    map[string]bool
	patterns []pattern
}

func scopeOf(types, events []string) scope {
	s := scope{}
	for _, t := range types {
		s.types |= 1 << call.ParseType(t)
	}
	for _, event := range events {
		event = strings.TrimSpace(event) // as the names of events are read
		if strings.Contains(event, "*") {
			s.patterns = append(s.patterns, strings.Split(event, "*"))
			continue
		}
		if s.names == nil {
			s.names = map[string]bool{}
		}
		s.names[event] = true
	}
	return s
}

// For says whether a call of that type and event is meant.
func (s *scope) For(t call.Type, e Event) bool {
	if s.types != 0 && s.types&(1<<t) == 0 {
		return false
	}
	if len(s.names)+len(s.patterns) == 0 {
		return true
	}
	return e.Set && (s.names[e.Name] || slices.ContainsFunc(s.patterns, func(p pattern) bool { return p.matches(e.Name) }))
}

// pattern is the texts between which anything may stand: at least two, of which any may be empty.
type pattern []string

func (p pattern) matches(name string) bool {
	last := len(p) - 1
	rest, ok := strings.CutPrefix(name, p[0])
	if !ok {
		return false
	}
	// Each text is taken where it first comes, which leaves the most for those behind it.
	for _, text := range p[1:last] {
		if _, rest, ok = strings.Cut(rest, text); !ok {
			return false
		}
	}
	return strings.HasSuffix(rest, p[last])
}
