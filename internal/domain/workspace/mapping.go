package workspace

import "github.com/sojournhq/sojourn/internal/domain/call"

// Mapping says where the calls of a source have what Sojourn wants to know. Each list is tried in order. One that is not set is that of
// DefaultMapping; one that is set replaces it.
type Mapping struct {
	Feature []Rule `yaml:"feature,omitempty"`
	Module  []Rule `yaml:"module,omitempty"`
	// Account is tried after groupId, which always decides about its own call.
	Account []Rule `yaml:"account,omitempty"`
	User    []Rule `yaml:"user,omitempty"`
	Session []Rule `yaml:"session,omitempty"`
	// Time is the event time. The call's own timestamp, which tells calls apart, stays what it is.
	Time []Rule `yaml:"time,omitempty"`
	// Dimensions by the names that the workspace declares. They are taken of group and identify calls.
	Dimensions map[string][]Rule `yaml:"dimensions,omitempty"`
}

// Rule is one place to look at, or a value. In YAML, text alone is a path.
type Rule struct {
	// Path leads from the top of the call to the value: keys joined by dots, a dot or backslash in a key escaped by a backslash.
	Path string `yaml:"path,omitempty"`
	// Literal is the value itself.
	Literal *string `yaml:"literal,omitempty"`
	// Types are the types of the calls that the rule is for. Not set: all.
	Types []string `yaml:"types,omitempty"`
	// Events are the names of the events that the rule is for; a "*" in one stands for any text. Only track calls have an event. Not set:
	// all calls.
	Events []string `yaml:"events,omitempty"`
}

// SetShort implements strictyaml.ShortForm: text alone is a path.
func (r *Rule) SetShort(text string) { r.Path = text }

// DefaultMapping returns what counts where a source says nothing: the contract, in the language of mappings. Event time is the call's own
// timestamp, corrected where the sender's clock is wrong, which no list of places can say; its list is empty.
func DefaultMapping() Mapping {
	visits := []string{call.Page.String(), call.Screen.String()}
	return Mapping{
		Feature: []Rule{{Path: "event", Types: []string{call.Track.String()}}},
		Module: []Rule{
			{Path: "properties.module", Types: append([]string{call.Track.String()}, visits...)},
			{Path: "category", Types: visits},
			{Path: "name", Types: visits},
		},
		Account: []Rule{{Path: "groupId"}, {Path: "context.groupId"}},
		User:    []Rule{{Path: "userId"}},
		Session: []Rule{{Path: "anonymousId"}},
	}
}
