package segment

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sojournhq/sojourn/internal/domain/call"
)

// readNames takes the feature and the module: of a track call its event and properties.module; of a page or screen, no feature, and the
// first of properties.module, category and name that holds a module.
func (p *parser) readNames() *Problem {
	properties := p.env.properties
	visit := p.call.Type == call.Page || p.call.Type == call.Screen
	switch {
	case !visit && p.call.Type != call.Track:
		return nil
	case !absent(properties) && properties.Kind() != jsontext.KindBeginObject:
		return &Problem{"properties_not_object", "properties is not an object", "properties"}
	}
	places := []place{{member(properties, "module"), "properties.module"}}
	if visit {
		places = append(places, place{p.env.category, "category"}, place{p.env.name, "name"})
	}
	for _, at := range places {
		if p.call.Module = p.module(at); p.call.Module != "" {
			break
		}
	}
	if visit {
		return nil
	}
	return p.readEvent()
}

// place is a value and where in the call it stands.
type place struct {
	value jsontext.Value
	field string
}

func (p *parser) readEvent() *Problem {
	event, ok := text(p.env.event)
	switch {
	case absent(p.env.event) || ok && strings.TrimSpace(event) == "":
		return &Problem{"event_required", "event is required: the name of the feature that was used", "event"}
	case !ok:
		return &Problem{"event_invalid", "event is not a string", "event"}
	case len(event) > call.MaxName:
		return &Problem{"event_invalid", fmt.Sprintf("event is longer than %d bytes", call.MaxName), "event"}
	}
	p.call.Feature = event
	return nil
}

// module returns the module in v. What cannot be one is no reason to lose the call, only its module.
func (p *parser) module(at place) string {
	v, field := at.value, at.field
	if absent(v) {
		return ""
	}
	module, ok := text(v)
	if v.Kind() == jsontext.KindNumber {
		module, ok = string(v), true
	}
	switch {
	case !ok:
		p.warn("module_invalid", field, field+" is not a string and was not taken as the module")
		return ""
	case strings.TrimSpace(module) == "":
		return ""
	case len(module) > call.MaxName:
		p.warn("module_invalid", field, fmt.Sprintf("%s is longer than %d bytes and was not taken as the module", field, call.MaxName))
		return ""
	}
	return module
}
