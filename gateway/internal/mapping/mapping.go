// Package mapping is where the calls of a source have what Sojourn wants to know: the rules of a source's configuration, made ready once
// so that every call can be looked at by them.
package mapping

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/workspace"
)

// Mapping is the rules of one source. Use New.
type Mapping struct {
	Feature, Module, Account, User, Session, Time Target
	// Dimensions in order of name.
	Dimensions []Dimension
	// Own says that the source has a mapping of its own.
	Own bool
}

// Target is the rules for one thing, in the order in which they are tried.
type Target struct {
	Rules []Rule
	// Own says that the source has rules of its own for this.
	Own bool
}

// Dimension is the rules for one dimension.
type Dimension struct {
	Name  string
	Rules []Rule
}

// Rule is one place in a call, or a value.
type Rule struct {
	// Place is where the rule stands in the mapping, such as "module[0]"; empty: it is one of the defaults.
	Place string
	// Path is that of the configuration; empty: Literal is the value.
	Path    string
	Literal string

	scope

	keys []string
}

// Keys returns the keys that the path leads through, the first one from the top of the call.
func (r *Rule) Keys() []string { return r.keys }

// maxPlaces is how long the list of places becomes, in bytes: it stands in every message about a call in which something is missing, and a
// request may hold thousands of them.
const maxPlaces = 300

// Places returns the paths of the rules that are for a call, and "a literal" for those that have none, for people to read. Of many it names
// the first.
func (t *Target) Places(of call.Type) string {
	var places []string
	for i := range t.Rules {
		if r := &t.Rules[i]; r.types == 0 || r.types&(1<<of) != 0 {
			places = append(places, cmp.Or(r.Path, "a literal"))
		}
	}
	places = slices.Compact(places)
	length := 0
	for i, place := range places {
		if length += len(place); i > 0 && length > maxPlaces {
			return fmt.Sprintf("%s and %d more", strings.Join(places[:i], ", "), len(places)-i)
		}
	}
	return strings.Join(places, ", ")
}

// New makes the mapping of a source ready. Nil: the source has none. The mapping has passed the check of its configuration.
func New(configured *workspace.Mapping) *Mapping {
	own := workspace.Mapping{}
	if configured != nil {
		own = *configured
	}
	fallback := workspace.DefaultMapping()
	m := &Mapping{
		Feature: target("feature", own.Feature, fallback.Feature),
		Module:  target("module", own.Module, fallback.Module),
		Account: target("account", own.Account, fallback.Account),
		User:    target("user", own.User, fallback.User),
		Session: target("session", own.Session, fallback.Session),
		Time:    target("time", own.Time, fallback.Time),
		Own:     configured != nil,
	}
	m.Account.Rules = groupFirst(m.Account.Rules)
	for _, name := range slices.Sorted(maps.Keys(own.Dimensions)) {
		m.Dimensions = append(m.Dimensions, Dimension{Name: name, Rules: rules("dimensions."+name, own.Dimensions[name])})
	}
	return m
}

func target(name string, own, fallback []workspace.Rule) Target {
	if own == nil {
		return Target{Rules: rules("", fallback)}
	}
	return Target{Rules: rules(name, own), Own: true}
}

// groupFirst puts groupId in front of the rules for the account, whatever they are: a call that names its account outright is never
// taken for another's.
func groupFirst(all []Rule) []Rule {
	rest := slices.DeleteFunc(all, func(r Rule) bool { return r.Path == groupID })
	return append(rules("", []workspace.Rule{{Path: groupID}}), rest...)
}

const groupID = "groupId"

// rules makes rules ready; with no name they are defaults.
func rules(name string, configured []workspace.Rule) []Rule {
	ready := make([]Rule, 0, len(configured))
	for i := range configured {
		c := &configured[i]
		r := Rule{Path: c.Path}
		if name != "" {
			r.Place = fmt.Sprintf("%s[%d]", name, i)
		}
		if c.Literal != nil {
			r.Literal = *c.Literal
		} else if keys, err := call.ParsePath(c.Path); err == nil {
			r.keys = keys
		}
		r.scope = scopeOf(c.Types, c.Events)
		ready = append(ready, r)
	}
	return ready
}
