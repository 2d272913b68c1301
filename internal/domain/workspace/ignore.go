package workspace

import "fmt"

// Condition is met by calls that meet all of what it sets. At least one thing is set, and of Equals, OneOf, Exists and Absent exactly one
// beside a path, none without.
type Condition struct {
	// Types are the types of the calls that can meet it. Not set: all but delete, which a condition has to name.
	Types []string `yaml:"types,omitempty"`
	// Events are the names of the events that can meet it; a "*" in one stands for any text. Only track calls have an event.
	Events []string `yaml:"events,omitempty"`
	// Path leads from the top of the call to the value that is tested, as that of a Rule does.
	Path string `yaml:"path,omitempty"`
	// Equals is the text of a string, a number or a boolean that the value has to have.
	Equals *string `yaml:"equals,omitempty"`
	// OneOf are such texts, of which the value has to have one.
	OneOf []string `yaml:"one_of,omitempty"`
	// Exists asks for a value other than null, Absent for none or null.
	Exists bool `yaml:"exists,omitempty"`
	Absent bool `yaml:"absent,omitempty"`
}

// Limits of what a source ignores. Every call is tested by every condition.
const (
	maxConditions = 100
	maxTexts      = 1000
)

// conditions checks what a source ignores.
func (p *problems) conditions(where string, all []Condition) {
	if len(all) > maxConditions {
		p.add("%s: more than %d conditions", where, maxConditions)
	}
	for i := range all {
		p.condition(fmt.Sprintf("%s[%d]", where, i), &all[i])
	}
}

func (p *problems) condition(where string, c *Condition) {
	if len(c.Types)+len(c.Events) == 0 && c.Path == "" && c.tests() == 0 {
		p.add("%s: it would leave out every call: set types, events or a path", where)
	}
	p.calls(where, c.Types, c.Events, "")
	switch tests := c.tests(); {
	case c.Path == "" && tests > 0:
		p.add("%s: a path is required beside equals, one_of, exists and absent", where)
	case c.Path != "" && tests != 1:
		p.add("%s: exactly one of equals, one_of, exists: true and absent: true is required beside a path", where)
	}
	if c.Path != "" {
		p.path(where+".path", c.Path)
	}
	if len(c.OneOf) > maxTexts {
		p.add("%s.one_of: more than %d", where, maxTexts)
	}
}

// tests counts what is asked of the value at the path.
func (c *Condition) tests() (n int) {
	for _, set := range [...]bool{c.Equals != nil, len(c.OneOf) > 0, c.Exists, c.Absent} {
		if set {
			n++
		}
	}
	return n
}
