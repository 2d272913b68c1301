package workspace

import (
	"crypto/sha256"
	"fmt"
	"time"
)

const (
	maxIDBytes  = 100
	minKeyBytes = 16
)

// check returns every problem of the configuration at once. Each begins with a place, by which its position in the file is found. Keys are
// named by their place, never shown.
func (c *Config) check(file positions) error {
	p := problems{keys: map[[sha256.Size]byte]string{}, ids: map[string]bool{}}
	if len(c.Workspaces) == 0 {
		p.add("workspaces: at least one is required")
	}
	for i, token := range c.AdminTokens {
		p.key(fmt.Sprintf("admin_tokens[%d]", i), token)
	}
	for i := range c.Workspaces {
		w := &c.Workspaces[i]
		where := fmt.Sprintf("workspaces[%d]", i)
		p.id(where, "", w.ID)
		for j, token := range w.QueryTokens {
			p.key(fmt.Sprintf("%s.query_tokens[%d]", where, j), token)
		}
		p.origins(where+".query_origins", w.QueryOrigins)
		p.names(where+".tiers", w.Tiers)
		p.names(where+".lifecycle_stages", w.LifecycleStages)
		p.dimensions(where+".dimensions", w)
		p.sessionSetting(where+".session_timeout", w.SessionTimeout)
		p.sessionSetting(where+".idle_cap", w.IdleCap)
		p.sessionSetting(where+".max_session", w.MaxSession)
		p.keepRejected(where+".keep_rejected", w.KeepRejected)
		for j := range w.Sources {
			s := &w.Sources[j]
			at := fmt.Sprintf("%s.sources[%d]", where, j)
			p.id(at, w.ID, s.ID)
			if len(s.WriteKeys) == 0 {
				p.add("%s.write_keys: at least one is required", at)
			}
			p.duration(at+".max_clock_skew", s.MaxClockSkew)
			p.limits(at+".limits", s.Limits)
			p.sharedSecrets(at+".shared_secrets", s.SharedSecrets)
			for k, key := range s.WriteKeys {
				p.key(fmt.Sprintf("%s.write_keys[%d]", at, k), key)
			}
			p.mapping(at+".mapping", s.Mapping, w.Dimensions)
			p.conditions(at+".ignore", s.Ignore)
		}
	}
	return file.locate(p.found)
}

type problems struct {
	found []error
	keys  map[[sha256.Size]byte]string // hash of a key → where it stands
	ids   map[string]bool
}

func (p *problems) add(format string, args ...any) {
	p.found = append(p.found, fmt.Errorf(format, args...))
}

func (p *problems) id(where, within, id string) {
	full := within + "\x00" + id
	switch {
	case id == "":
		p.add("%s.id: required", where)
	case len(id) > maxIDBytes:
		p.add("%s.id: longer than %d bytes", where, maxIDBytes)
	case p.ids[full]:
		p.add("%s.id: %q stands twice", where, id)
	}
	p.ids[full] = true
}

func (p *problems) key(where string, key Secret) {
	if key.flaw != sound {
		p.add("%s: %v", where, key.flaw)
	}
	if key.flaw == malformed {
		return
	}
	if first, taken := p.keys[key.Hash()]; taken {
		p.add("%s: the same as %s", where, first)
	}
	p.keys[key.Hash()] = where
}

func (p *problems) names(where string, names []string) {
	seen := map[string]bool{}
	for i, name := range names {
		if name == "" || seen[name] {
			p.add("%s[%d]: empty or standing twice", where, i)
		}
		seen[name] = true
	}
}

func (p *problems) sessionSetting(where string, d *Duration) {
	if d == nil || p.duration(where, d) {
		return
	}
	set := time.Duration(*d)
	if set < MinSessionSetting || set > MaxSessionSetting {
		p.add("%s: not between %v and %v", where, MinSessionSetting, MaxSessionSetting)
	}
	if set%time.Millisecond != 0 {
		p.add("%s: finer than a millisecond", where)
	}
}
