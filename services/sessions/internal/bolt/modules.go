package bolt

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// moduleTimes returns the time of each module that has any, in no order, and the sum of all active times.
func (t *tables) moduleTimes(s *stored) (times []moduleTime, activeMS int64, err error) {
	parts, err := t.allParts(s)
	if err != nil {
		return nil, 0, err
	}
	byModule := make(map[session.Name]session.Amount, len(parts))
	for p, a := range parts {
		byModule[p.Module] = byModule[p.Module].Plus(a)
	}
	for module, a := range byModule {
		if module == session.AllModules {
			activeMS = a.ActiveMS
		} else if a.DurationMS > 0 {
			times = append(times, moduleTime{module, a.DurationMS, a.ActiveMS})
		}
	}
	return times, activeMS, nil
}

// moduleTime is time spent in one module.
type moduleTime struct {
	module               session.Name
	durationMS, activeMS int64
}

// longest returns those of at most session.MaxModules modules that have the longest durations, of one duration by name.
func (t *tables) longest(modules []moduleTime) ([]moduleTime, error) {
	if len(modules) <= session.MaxModules {
		return modules, nil
	}
	names := make(map[session.Name]string, len(modules))
	for _, m := range modules {
		name, err := t.names.Name(uint32(m.module))
		if err != nil {
			return nil, err
		}
		names[m.module] = name
	}
	slices.SortFunc(modules, func(a, b moduleTime) int {
		return cmp.Or(cmp.Compare(b.durationMS, a.durationMS), strings.Compare(names[a.module], names[b.module]))
	})
	return modules[:session.MaxModules], nil
}

// nameModules returns modules by name.
func (t *tables) nameModules(modules []moduleTime) (named []session.ModuleView, err error) {
	for _, m := range modules {
		name, err := t.names.Name(uint32(m.module))
		if err != nil {
			return nil, err
		}
		named = append(named, session.ModuleView{Module: name, DurationMS: m.durationMS, ActiveMS: m.activeMS})
	}
	slices.SortFunc(named, func(a, b session.ModuleView) int { return strings.Compare(a.Module, b.Module) })
	return named, nil
}
