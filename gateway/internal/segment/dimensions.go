package segment

import (
	"strings"

	"github.com/sojournhq/sojourn/internal/domain/call"

	"github.com/sojournhq/sojourn/gateway/internal/mapping"
)

// readDimensions takes what the mapping finds for dimensions in identify and group calls. It travels as traits, so that the same holds for
// it as for them: the latest call stands, and null clears.
func (p *parser) readDimensions() *Problem {
	if p.call.Type != call.Identify && p.call.Type != call.Group || len(p.mapping.Dimensions) == 0 {
		return nil
	}
	f := flattener{traits: p.call.Traits, room: maxTraitBytes}
	for i := range p.mapping.Dimensions {
		d := &p.mapping.Dimensions[i]
		value, rule := p.dimension(d)
		if rule == nil {
			continue
		}
		f.take(call.DimensionPath(d.Name), value)
		if p.trace != nil {
			p.trace.Dimensions[d.Name] = originOf(rule)
		}
	}
	if f.room < 0 {
		return &Problem{"traits_too_large", "what is taken for dimensions is too large: send shorter values", ""}
	}
	p.call.Traits = f.traits
	return nil
}

// dimension returns the value for a dimension and the rule that found it: the first that is something, else null if a place holds null or
// empty text. Without any there is no rule.
func (p *parser) dimension(d *mapping.Dimension) (value call.Value, rule *mapping.Rule) {
	for i := range d.Rules {
		r := &d.Rules[i]
		if !r.For(p.call.Type, p.event) {
			continue
		}
		if r.Path == "" {
			return call.Value{Kind: call.String, Text: r.Literal}, r
		}
		v := p.at(r.Keys())
		if len(v) == 0 {
			continue
		}
		found := leafValue(v)
		if found.Kind != call.Null && (found.Kind != call.String || strings.TrimSpace(found.Text) != "") {
			return found, r
		}
		if rule == nil {
			value, rule = call.Value{Kind: call.Null}, r
		}
	}
	return value, rule
}
