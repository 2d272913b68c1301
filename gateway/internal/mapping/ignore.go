package mapping

import (
	"fmt"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/workspace"
)

// Condition is one condition under which the calls of a source are left out.
type Condition struct {
	// Place is where it stands in the configuration of its source, such as "ignore[0]".
	Place string

	scope

	keys   []string
	test   test
	wanted map[string]bool
}

// test is what a condition asks of the value at its path.
type test int8

const (
	nothing test = iota // there is no path
	exists
	absent
	oneOf
)

// Conditions makes conditions ready that passed the check of their configuration.
func Conditions(configured []workspace.Condition) []Condition {
	ready := make([]Condition, 0, len(configured))
	for i := range configured {
		ready = append(ready, conditionOf(fmt.Sprintf("ignore[%d]", i), &configured[i]))
	}
	return ready
}

func conditionOf(place string, c *workspace.Condition) Condition {
	ready := Condition{Place: place, scope: scopeOf(c.Types, c.Events)}
	if len(c.Types) == 0 {
		ready.types = everyType &^ (1 << call.Delete)
	}
	if c.Path == "" {
		return ready
	}
	ready.keys, _ = call.ParsePath(c.Path) // it was checked
	switch {
	case c.Exists:
		ready.test = exists
	case c.Absent:
		ready.test = absent
	default:
		ready.test, ready.wanted = oneOf, map[string]bool{}
		for _, text := range c.OneOf {
			ready.wanted[text] = true
		}
		if c.Equals != nil {
			ready.wanted[*c.Equals] = true
		}
	}
	return ready
}

// everyType has the bit of every type of call.
const everyType = 1<<(call.Delete+1) - 1<<call.Track

// Value is what stands at the path of a condition: nothing or null is not there, and what is neither a string, a number nor a boolean has
// no text.
type Value struct {
	There bool
	Text  string
	// Scalar: Text is all of it.
	Scalar bool
}

// Met says whether a call meets the condition. It asks at for what the keys lead to.
func (c *Condition) Met(t call.Type, e Event, at func(keys []string) Value) bool {
	if !c.For(t, e) {
		return false
	}
	if c.test == nothing {
		return true
	}
	switch v := at(c.keys); c.test {
	case exists:
		return v.There
	case absent:
		return !v.There
	default:
		return v.Scalar && c.wanted[v.Text]
	}
}
