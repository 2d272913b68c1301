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
func (c *Config) check() []error {
	p := problems{keys: map[[sha256.Size]byte]string{}, ids: map[[2]string]bool{}}
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
		dimensions := p.dimensions(where+".dimensions", w)
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
			p.mapping(at+".mapping", s.Mapping, dimensions)
			p.conditions(at+".ignore", s.Ignore)
		}
	}
	p.colons()
	return p.found
}

type problems struct {
	found []error
	keys  map[[sha256.Size]byte]string // hash of a key → where it stands
	colon []colonKey
	ids   map[[2]string]bool // of a workspace and "", or of a workspace and a source of it
}

// colonKey is a key that ends with a colon.
type colonKey struct {
	where string
	bare  [sha256.Size]byte // the hash of what stands before the colon
}

func (p *problems) add(format string, args ...any) {
	p.found = append(p.found, fmt.Errorf(format, args...))
}

func (p *problems) id(where, within, id string) {
	full := [2]string{within, id}
	switch {
	case id == "":
		p.add("%s.id: required", where)
	case len(id) > maxIDBytes:
		p.add("%s.id: longer than %d bytes", where, maxIDBytes)
	case p.ids[full]:
		p.add("%s.id: %q stands twice: take another one", where, id)
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
		p.add("%s: the same as %s: take another one, for each is of one place alone", where, first)
	}
	p.keys[key.Hash()] = where
	if key.bare != nil {
		p.colon = append(p.colon, colonKey{where, *key.bare})
	}
}

// colons names the keys that are another one with a colon at its end. Basic authorization sends a key with a colon behind it, so of the two
// nobody could tell which is meant.
func (p *problems) colons() {
	for _, key := range p.colon {
		if other, taken := p.keys[key.bare]; taken {
			p.add("%s: the same as %s but for the colon at its end, which Basic authorization adds to every key: take another one",
				key.where, other)
		}
	}
}

func (p *problems) names(where string, names []string) {
	seen := map[string]bool{}
	for i, name := range names {
		if name == "" || seen[name] {
			p.add("%s[%d]: empty, or stands twice: take it away", where, i)
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
		p.add("%s: finer than a millisecond: round it to one", where)
	}
}
