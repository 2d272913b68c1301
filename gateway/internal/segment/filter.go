package segment

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sojournhq/sojourn/gateway/internal/mapping"
)

// byIntegrations is what FilteredBy says of a call that its own integrations leave out.
const byIntegrations = "integrations"

// filteredBy returns what leaves the call out, or "".
func (p *parser) filteredBy() string {
	if p.switchedOff() {
		return byIntegrations
	}
	for i := range p.o.Ignore {
		if c := &p.o.Ignore[i]; c.Met(p.call.Type, p.event, p.value) {
			return c.Place
		}
	}
	return ""
}

// filtered returns as much of a call that is left out as can be read: nothing about it is required, and nothing else is warned of.
func (p *parser) filtered(by string) Parsed {
	for _, step := range steps {
		_ = step(p) // what is wrong with it makes no difference
	}
	parsed := Parsed{Call: p.call}
	message := "the call was left out by " + by + " of its source"
	if by == byIntegrations {
		message = "the call was left out by its integrations: they switch Sojourn off"
	}
	parsed.Filter(by, message)
	return parsed
}

// value returns what a condition tests.
func (p *parser) value(keys []string) mapping.Value {
	v := p.at(keys)
	if absent(v) {
		return mapping.Value{}
	}
	switch v.Kind() {
	case jsontext.KindString:
		s, ok := text(v)
		return mapping.Value{There: true, Text: s, Scalar: ok}
	case jsontext.KindNumber, jsontext.KindTrue, jsontext.KindFalse:
		return mapping.Value{There: true, Text: string(v), Scalar: true}
	default:
		return mapping.Value{There: true}
	}
}

// Names in integrations. Libraries that send straight to Sojourn take it for Segment, whose name among them is "Segment.io".
const (
	everyIntegration   = "All"
	ownIntegration     = "Sojourn"
	segmentIntegration = "Segment.io"
)

// switchedOff says whether the integrations of a call switch Sojourn off, by name or with all others. Segment looks at them before it
// delivers a call, and replays have {"All": false} with a name that is not ours to know.
func (p *parser) switchedOff() bool {
	if p.o.Delivered || absent(p.env.integrations) && p.o.Batch.integrations == nil {
		return false
	}
	for _, name := range [...]string{ownIntegration, segmentIntegration, everyIntegration} {
		if v := p.integration(name); !absent(v) {
			return v.Kind() == jsontext.KindFalse
		}
	}
	return false
}

// integration returns a member of the call's integrations, or of its batch's.
func (p *parser) integration(name string) jsontext.Value {
	if v := p.at([]string{"integrations", name}); len(v) > 0 {
		return v
	}
	return p.o.Batch.integrations[name]
}

// integrationsOf returns the members of a batch's integrations that say something to us; nil for none.
func integrationsOf(v jsontext.Value) map[string]jsontext.Value {
	var own map[string]jsontext.Value
	if v.Kind() != jsontext.KindBeginObject {
		return nil
	}
	// What is read here was read before, so it is readable.
	_ = members(v, func(name string, value jsontext.Value) bool {
		switch name {
		case ownIntegration, segmentIntegration, everyIntegration:
			if own == nil {
				own = map[string]jsontext.Value{}
			}
			own[name] = value
		}
		return true
	})
	return own
}
