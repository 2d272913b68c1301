package ingest

import (
	"time"

	"github.com/sojournhq/sojourn/internal/domain/workspace"

	"github.com/sojournhq/sojourn/gateway/internal/keyring"
	"github.com/sojournhq/sojourn/gateway/internal/limit"
	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

// source is where calls come from: a source of a workspace.
type source struct {
	workspace string
	rules     segment.Rules
	// secrets sign its requests. None: they need no signature.
	secrets []string
	limits  limit.Source
}

// sourcesOf returns the sources of a configuration by their write keys.
func sourcesOf(c *workspace.Config, maxBytes int) *keyring.Ring[*source] {
	ring := &keyring.Ring[*source]{}
	for i := range c.Workspaces {
		w := &c.Workspaces[i]
		for j := range w.Sources {
			s := &source{
				workspace: w.ID, rules: rulesOf(&w.Sources[j], maxBytes), secrets: w.Sources[j].SharedSecrets,
				limits: limit.Source{Workspace: w.ID, Source: w.Sources[j].ID, Limits: w.Sources[j].Limits},
			}
			for _, key := range w.Sources[j].WriteKeys {
				ring.Add(key, s)
			}
		}
	}
	return ring
}

// rulesOf returns the rules of a configured source, with the defaults of the contract where it says nothing.
func rulesOf(s *workspace.Source, maxBytes int) segment.Rules {
	rules := segment.Rules{
		Source:             s.ID,
		RequireAnonymousID: s.RequireAnonymousID == nil || *s.RequireAnonymousID,
		RequireUserID:      s.RequireUserID == nil || *s.RequireUserID,
		MaxClockSkew:       workspace.DefaultMaxClockSkew,
		AbsentIDs:          s.AbsentIDs,
		MaxBytes:           maxBytes,
	}
	if s.MaxClockSkew != nil {
		rules.MaxClockSkew = time.Duration(*s.MaxClockSkew)
	}
	if rules.AbsentIDs == nil {
		rules.AbsentIDs = workspace.DefaultAbsentIDs()
	}
	return rules
}
