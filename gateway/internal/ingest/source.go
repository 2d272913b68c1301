package ingest

import (
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
				workspace: w.ID, rules: segment.RulesOf(&w.Sources[j], maxBytes), secrets: w.Sources[j].SharedSecrets,
				limits: limit.Source{Workspace: w.ID, Source: w.Sources[j].ID, Limits: w.Sources[j].Limits},
			}
			for _, key := range w.Sources[j].WriteKeys {
				ring.Add(key, s)
			}
		}
	}
	return ring
}
