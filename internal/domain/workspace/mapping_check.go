package workspace

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/timestamp"
)

// Limits of a mapping. Every call is looked at by every rule that is for it.
const (
	maxRules  = 100
	maxEvents = 1000
)

// mapping checks the mapping of one source of a workspace with those dimensions.
func (p *problems) mapping(where string, m *Mapping, dimensions map[string]bool) {
	if m == nil {
		return
	}
	for _, target := range []struct {
		name  string
		rules []Rule
	}{
		{"feature", m.Feature}, {"module", m.Module}, {"account", m.Account}, {"user", m.User}, {"session", m.Session}, {"time", m.Time},
	} {
		if target.rules != nil {
			p.rules(where+"."+target.name, target.rules, "")
		}
	}
	for i := range m.Time {
		if l := m.Time[i].Literal; l != nil {
			if _, _, err := timestamp.Parse(*l); err != nil {
				p.add("%s.time[%d].literal: no time between 1970 and 2261, such as 2026-11-01T12:00:00.000Z", where, i)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Dimensions)) {
		p.mappedDimension(where+".dimensions", name, m.Dimensions[name], dimensions[name])
	}
}

func (p *problems) mappedDimension(where, name string, rules []Rule, known bool) {
	if len(name) > maxNameBytes {
		p.add("%s: a name longer than %d bytes, which no dimension has", where, maxNameBytes)
		return
	}
	at := where + "." + name
	if !known {
		p.add("%s: the workspace has no such dimension: add it to its dimensions", at)
	}
	p.rules(at, rules, dimensionCalls)
}

// dimensionCalls are the types of calls that dimensions are taken of.
const dimensionCalls = "group identify"

// rules checks one list. Types of calls other than those in only, if it says any, are problems.
func (p *problems) rules(where string, rules []Rule, only string) {
	switch n := len(rules); {
	case n == 0:
		p.add("%s: at least one rule is required: leave it out for the default", where)
	case n > maxRules:
		p.add("%s: more than %d rules", where, maxRules)
	}
	for i := range rules {
		p.rule(fmt.Sprintf("%s[%d]", where, i), &rules[i], only)
	}
}

func (p *problems) rule(where string, r *Rule, only string) {
	switch {
	case r.Path != "" && r.Literal != nil:
		p.add("%s: both a path and a literal: take one away", where)
	case r.Literal != nil:
		p.literal(where+".literal", *r.Literal)
	case r.Path == "":
		p.add("%s: a path or a literal is required", where)
	default:
		p.path(where, r.Path)
	}
	p.calls(where, r.Types, r.Events, only)
}

func (p *problems) path(where, path string) {
	if _, err := call.ParsePath(path); err != nil {
		p.add("%s: %w", where, err)
	}
}

func (p *problems) literal(where, text string) {
	switch {
	case strings.TrimSpace(text) == "":
		p.add("%s: empty: write the value", where)
	case strings.TrimSpace(text) != text:
		p.add("%s: space around it: take it away", where)
	case len(text) > call.MaxName:
		p.add("%s: longer than %d bytes", where, call.MaxName)
	}
}

// calls checks which calls something is for: those of some types, if it says any, and of some events. Types other than those in only, if it
// says any, are problems.
func (p *problems) calls(where string, types, events []string, only string) {
	for i, name := range types {
		at := fmt.Sprintf("%s.types[%d]", where, i)
		switch {
		case call.ParseType(name) == 0:
			p.add("%s: not track, identify, group, page, screen, alias or delete", at)
		case only != "" && !slices.Contains(strings.Fields(only), name):
			p.add("%s: dimensions are taken of group and identify calls", at)
		case len(events) > 0 && name != call.Track.String():
			p.add("%s: only track calls have events", at)
		}
	}
	if len(events) > 0 && only != "" {
		p.add("%s.events: dimensions are taken of group and identify calls, and only track calls have events", where)
	}
	if len(events) > maxEvents {
		p.add("%s.events: more than %d", where, maxEvents)
	}
	p.names(where+".events", events)
}
