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

// mapping checks the mapping of one source of a workspace.
func (p *problems) mapping(where string, m *Mapping, dimensions []Dimension) {
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
		at := where + ".dimensions." + name
		if !slices.ContainsFunc(dimensions, func(d Dimension) bool { return d.Name == name }) {
			p.add("%s: the workspace has no such dimension", at)
		}
		p.rules(at, m.Dimensions[name], dimensionCalls)
	}
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
		p.add("%s: both a path and a literal", where)
	case r.Literal != nil:
		p.literal(where+".literal", *r.Literal)
	case r.Path == "":
		p.add("%s: a path or a literal is required", where)
	default:
		if _, err := call.ParsePath(r.Path); err != nil {
			p.add("%s: %w", where, err)
		}
	}
	p.types(where, r.Types, r.Events)
	for i, name := range r.Types {
		if only != "" && call.ParseType(name) != 0 && !slices.Contains(strings.Fields(only), name) {
			p.add("%s.types[%d]: dimensions are taken of group and identify calls", where, i)
		}
	}
	if len(r.Events) > 0 && only != "" {
		p.add("%s.events: dimensions are taken of group and identify calls, and only track calls have events", where)
	}
	p.events(where+".events", r.Events)
}

// types checks for which types of calls something is, beside the events that it is for.
func (p *problems) types(where string, types, events []string) {
	for i, name := range types {
		at := fmt.Sprintf("%s.types[%d]", where, i)
		switch {
		case call.ParseType(name) == 0:
			p.add("%s: not track, identify, group, page, screen, alias or delete", at)
		case len(events) > 0 && name != call.Track.String():
			p.add("%s: only track calls have events", at)
		}
	}
}

func (p *problems) literal(where, text string) {
	switch {
	case strings.TrimSpace(text) == "":
		p.add("%s: empty", where)
	case strings.TrimSpace(text) != text:
		p.add("%s: space around it", where)
	case len(text) > call.MaxName:
		p.add("%s: longer than %d bytes", where, call.MaxName)
	}
}

func (p *problems) events(where string, names []string) {
	if len(names) > maxEvents {
		p.add("%s: more than %d", where, maxEvents)
	}
	p.names(where, names)
}
