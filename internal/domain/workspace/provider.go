package workspace

import (
	"sync"
	"sync/atomic"
)

// Provider has a configuration, which may be another one each time it is asked: Watched has what its file says by now, and a Config itself
// for ever the same. It is asked from many goroutines, and what it returns is never changed.
type Provider interface {
	Config() *Config
}

// Config implements Provider.
func (c *Config) Config() *Config { return c }

// Follow returns a function that returns what derive makes of the configuration of now. It derives again only when there is another one,
// and once: whoever asks meanwhile waits for that.
func Follow[T any](from Provider, derive func(*Config) T) func() T {
	type derived struct {
		from *Config
		made T
	}
	var last atomic.Pointer[derived]
	var deriving sync.Mutex
	known := func() *derived {
		if d := last.Load(); d != nil && d.from == from.Config() {
			return d
		}
		return nil
	}
	return func() T {
		if d := known(); d != nil {
			return d.made
		}
		deriving.Lock()
		defer deriving.Unlock()
		if d := known(); d != nil {
			return d.made
		}
		now := from.Config()
		d := &derived{from: now, made: derive(now)}
		last.Store(d)
		return d.made
	}
}

// Each returns a function that returns what derive makes of a workspace as it is configured now, or of one without any settings if it is
// not configured.
func Each[T any](from Provider, derive func(*Workspace) T) func(id string) T {
	unknown := derive(&Workspace{})
	all := Follow(from, func(c *Config) map[string]T {
		made := make(map[string]T, len(c.Workspaces))
		for i := range c.Workspaces {
			made[c.Workspaces[i].ID] = derive(&c.Workspaces[i])
		}
		return made
	})
	return func(id string) T {
		if made, ok := all()[id]; ok {
			return made
		}
		return unknown
	}
}
