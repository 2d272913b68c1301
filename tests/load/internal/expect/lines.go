package expect

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/sojournhq/sojourn/tests/load/internal/traffic"
)

type eventLine struct {
	Kind      string `json:"kind"`
	Workspace string `json:"workspace"`
	Time      string `json:"time"`
	MessageID string `json:"messageId"`
	Feature   string `json:"feature"`
	Module    string `json:"module"`
	UserID    string `json:"userId"`
	AccountID string `json:"accountId"`
}

type userLine struct {
	Kind      string         `json:"kind"`
	Workspace string         `json:"workspace"`
	AccountID string         `json:"accountId"`
	UserID    string         `json:"userId"`
	Traits    map[string]any `json:"traits"`
	Problems  []string       `json:"problems"`
}

type accountLine struct {
	Kind       string         `json:"kind"`
	Workspace  string         `json:"workspace"`
	AccountID  string         `json:"accountId"`
	Complete   bool           `json:"complete"`
	Traits     map[string]any `json:"traits"`
	Dimensions struct{}       `json:"dimensions"`
	Problems   []string       `json:"problems"`
}

type sessionLine struct {
	Kind        string       `json:"kind"`
	Workspace   string       `json:"workspace"`
	AnonymousID string       `json:"anonymousId"`
	Start       string       `json:"start"`
	End         string       `json:"end"`
	UserID      string       `json:"userId"`
	AccountID   string       `json:"accountId"`
	DurationMS  int64        `json:"durationMs"`
	ActiveMS    int64        `json:"activeMs"`
	Events      int          `json:"events"`
	Modules     []moduleLine `json:"modules"`
}

type moduleLine struct {
	Module     string `json:"module"`
	DurationMS int64  `json:"durationMs"`
	ActiveMS   int64  `json:"activeMs"`
}

type outcomeLine struct {
	Kind      string       `json:"kind"`
	Workspace string       `json:"workspace"`
	Source    string       `json:"source"`
	Type      traffic.Kind `json:"type"`
	Accepted  int64        `json:"accepted"`
	Rejected  int64        `json:"rejected"`
}

// Lines returns the lines of the dump that are of the sample: each once.
func (s *State) Lines(workspace, source string) (map[string]bool, error) {
	var all []any
	for kind, n := range s.outcomes {
		all = append(all, outcomeLine{"outcome", workspace, source, kind, n, 0})
	}
	for number, u := range s.users {
		id, account := s.stream.UserID(number), s.accountOf(u)
		for _, c := range u.uses {
			all = append(all, eventLine{
				"event", workspace, clock(c.TimeMS), s.stream.MessageID(c), c.Feature.Name, c.Feature.Module, id, account,
			})
		}
		all = append(all, userLine{"user", workspace, account, id, s.userTraits(u), []string{}})
		for device, points := range u.devices {
			for _, one := range sessionsOf(points) {
				all = append(all, sessionLine{
					"session", workspace, device, clock(one.start()), clock(one.end()), id, account,
					one.duration(), one.active, len(one.points), moduleLines(one),
				})
			}
		}
	}
	for account := range s.seen {
		all = append(all, s.accountLine(workspace, account))
	}
	lines := make(map[string]bool, len(all))
	for _, line := range all {
		text, err := json.Marshal(line)
		if err != nil {
			return nil, err
		}
		lines[string(text)] = true
	}
	return lines, nil
}

func moduleLines(s session) []moduleLine {
	lines := []moduleLine{}
	for _, name := range slices.Sorted(maps.Keys(s.modules)) {
		lines = append(lines, moduleLine{name, s.modules[name].duration, s.modules[name].active})
	}
	return lines
}

// userTraits are the traits that were set last. Every identify call sets the same ones.
func (s *State) userTraits(u *user) map[string]any {
	traits := map[string]any{}
	if len(u.traits) > 0 {
		for _, t := range s.stream.UserTraits(s.latest(u.traits)) {
			traits[t.Name] = t.Value
		}
	}
	return traits
}

func (s *State) accountLine(workspace string, account int) accountLine {
	line := accountLine{
		Kind: "account", Workspace: workspace, AccountID: s.stream.AccountID(account), Traits: map[string]any{}, Problems: []string{},
	}
	if calls := s.groups[account]; len(calls) > 0 {
		last := s.latest(calls)
		for _, t := range s.stream.AccountTraits(last) {
			line.Traits[t.Name] = t.Value
		}
		line.Traits["employees"] = s.stream.Employees(last)
		line.Complete = true
	}
	return line
}
