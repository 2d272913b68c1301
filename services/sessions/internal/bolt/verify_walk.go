package bolt

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/dict"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// walks goes along the points of every anonymousId and compares with the sessions that are stored.
func (v *verifier) walks(ctx context.Context) error {
	for from := []byte(nil); ; {
		anonymous, ok := v.nextAnonymous(from)
		if !ok {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := v.walk(anonymous); err != nil {
			if !errors.Is(err, record.ErrCorrupt) && !errors.Is(err, dict.ErrUnknown) {
				return err
			}
			v.wrong(sessionsTable, "anonymousId %d: %v", anonymous, err)
		}
		from = keys.AppendUint32(nil, anonymous+1)
	}
}

func (v *verifier) walk(anonymous uint32) error {
	byStart, err := v.sessionsBetween(anonymous, call.Position{}, nil)
	if err != nil {
		return err
	}
	starts := slices.SortedFunc(maps.Keys(byStart), call.Position.Compare)
	var w *rewalked
	for p, err := range v.pointsFrom(anonymous, 0) {
		if err != nil {
			return err
		}
		v.said.Add(uint32(p.User), uint32(p.Account), p.TimeMS)
		switch {
		case len(starts) > 0 && p.Position == starts[0]:
			w, err = v.nextSession(w, byStart[starts[0]], p)
			if err != nil {
				return err
			}
			starts = starts[1:]
		case w == nil || p.Compare(w.stored.End) > 0:
			v.wrong(pointsTable, "a point at %d of anonymousId %d is in no session", p.TimeMS, anonymous)
		case !w.rules.Continues(&w.Session, p):
			v.wrong(sessionsTable, "a session of anonymousId %d that starts at %d goes on after its end", anonymous, w.Start.TimeMS)
			w.Points++ // once is enough
		default:
			w.rules.Extend(&w.Session, w.parts, p)
		}
	}
	if w != nil {
		err = v.compare(w)
	}
	for _, start := range starts {
		v.wrong(sessionsTable, "a session of anonymousId %d that starts at %d has no first point", anonymous, start.TimeMS)
	}
	return err
}

// rewalked is a session walked from its points, beside the one that is stored.
type rewalked struct {
	session.Session

	parts  session.Parts
	rules  session.Rules
	stored *stored
}

// nextSession compares the session that was walked and begins the next, which starts with p.
func (v *verifier) nextSession(was *rewalked, s *stored, p session.Point) (*rewalked, error) {
	rules, err := v.rulesNamed(s.rules)
	if err != nil {
		return nil, err
	}
	if was != nil {
		if err := v.compare(was); err != nil {
			return nil, err
		}
		if was.stored.rules == s.rules && rules.Continues(&was.Session, p) {
			v.wrong(sessionsTable, "two sessions that meet at %d are one", p.TimeMS)
		}
	}
	parts := session.Parts{}
	return &rewalked{Session: session.Begin(p, parts), parts: parts, rules: rules, stored: s}, nil
}

func (v *verifier) compare(w *rewalked) error {
	parts, err := v.allParts(w.stored)
	if err != nil {
		return err
	}
	if w.Session != w.stored.Session || !maps.Equal(parts, w.parts) {
		v.wrong(sessionsTable, "a session that starts at %d is not what its points make it", w.Start.TimeMS)
	}
	return nil
}

// rulesNamed returns the rules that have a number in the dictionary.
func (v *verifier) rulesNamed(number uint32) (session.Rules, error) {
	if rules, ok := v.known[number]; ok {
		return rules, nil
	}
	name, err := v.names.Name(number)
	if err != nil {
		return session.Rules{}, err
	}
	rules, err := parseRules(name)
	v.known[number] = rules
	return rules, err
}
