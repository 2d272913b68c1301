package segment

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sojournhq/sojourn/internal/domain/call"

	"github.com/sojournhq/sojourn/gateway/internal/mapping"
)

// readNames takes the module and the feature: the first that the places of the mapping hold, without the space around it.
func (p *parser) readNames() *Problem {
	switch p.call.Type {
	case call.Delete:
		return nil
	case call.Track, call.Page, call.Screen:
		if properties := p.env.properties; !absent(properties) && properties.Kind() != jsontext.KindBeginObject {
			return &Problem{"properties_not_object", "properties is not an object", "properties"}
		}
	case call.Identify, call.Group, call.Alias:
	}
	p.readModule()
	if problem := p.checkEvent(); problem != nil {
		return problem
	}
	return p.readFeature()
}

// checkEvent sees to it that a track call has its event, also where the mapping takes something else for the feature: a track call without
// one was made by mistake.
func (p *parser) checkEvent() *Problem {
	switch {
	case p.call.Type != call.Track:
		return nil
	case absent(p.env.event) || p.event.Set && p.event.Name == "":
		return &Problem{"event_required", "event is required: the name of the feature that was used", "event"}
	case !p.event.Set:
		return &Problem{"event_invalid", "event is not a string", "event"}
	}
	return nil
}

func (p *parser) readFeature() *Problem {
	for i := range p.mapping.Feature.Rules {
		r := &p.mapping.Feature.Rules[i]
		if !r.For(p.call.Type, p.event) {
			continue
		}
		var problem *Problem
		if p.call.Feature, problem = p.feature(r); problem != nil {
			return problem
		}
		if p.call.Feature != "" {
			p.note(func(t *Trace) *Origin { return &t.Feature }, r)
			return nil
		}
	}
	return nil
}

// feature returns the feature at the place of a rule; empty where there is none.
func (p *parser) feature(r *mapping.Rule) (string, *Problem) {
	if r.Path == "" {
		return r.Literal, nil
	}
	v := p.at(r.Keys())
	if absent(v) {
		return "", nil
	}
	code := "feature_invalid"
	if r.Path == "event" {
		code = "event_invalid"
	}
	name, ok := text(v)
	name = strings.TrimSpace(name)
	switch {
	case !ok:
		return "", &Problem{code, r.Path + " is not a string", r.Path}
	case len(name) > call.MaxName:
		return "", &Problem{code, fmt.Sprintf("%s is longer than %d bytes", r.Path, call.MaxName), r.Path}
	}
	return name, nil
}

func (p *parser) readModule() {
	for i := range p.mapping.Module.Rules {
		r := &p.mapping.Module.Rules[i]
		if !r.For(p.call.Type, p.event) {
			continue
		}
		if p.call.Module = p.module(r); p.call.Module != "" {
			p.note(func(t *Trace) *Origin { return &t.Module }, r)
			return
		}
	}
}

// module returns the module at the place of a rule. What cannot be one is no reason to lose the call, only its module.
func (p *parser) module(r *mapping.Rule) string {
	if r.Path == "" {
		return r.Literal
	}
	v, field := p.at(r.Keys()), r.Path
	if absent(v) {
		return ""
	}
	module, ok := text(v)
	if v.Kind() == jsontext.KindNumber {
		module, ok = string(v), true
	}
	module = strings.TrimSpace(module)
	switch {
	case !ok:
		p.warn("module_invalid", field, field+" is not a string and was not taken as the module")
		return ""
	case len(module) > call.MaxName:
		p.warn("module_invalid", field, fmt.Sprintf("%s is longer than %d bytes and was not taken as the module", field, call.MaxName))
		return ""
	}
	return module
}
