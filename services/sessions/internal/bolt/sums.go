package bolt

import (
	"cmp"
	"fmt"
	"maps"

	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// addSum adds to one daily sum, which is stored with all others of its transaction if that gathers them.
func (t *tables) addSum(o owner, p session.Part, by session.Sum) {
	if by != (session.Sum{}) {
		t.pending.add(dayID{o, p.Day}, p.Module, by)
	}
}

// count sets the parts of now, which so far are those of was, to what delta says, and brings the sums of their owners up to date. Was is
// nil for a session that is new, now for one that is no more.
func (t *tables) count(was, now *stored, delta session.Parts) error {
	touched := delta
	if was != nil && (now == nil || now.owner() != was.owner()) {
		all, err := t.allParts(was)
		if err != nil {
			return err
		}
		maps.Copy(all, delta)
		touched = all
	}
	for _, module := range modules(touched) {
		if err := t.countModule(was, now, module, delta); err != nil {
			return err
		}
	}
	if t.gathers {
		return nil
	}
	return t.storeSums()
}

// countModule does the same for one module.
func (t *tables) countModule(was, now *stored, module session.Name, delta session.Parts) error {
	first := cmp.Or(was, now).day()
	var before, after [2]session.Amount
	for i := range 2 {
		p := session.Part{Module: module, Day: first + day.Day(i)}
		var err error
		if was != nil {
			if before[i], err = t.part(was, p); err != nil {
				return err
			}
		}
		if now == nil {
			continue
		}
		after[i] = before[i].Plus(delta[p])
		if err := t.setPart(now, p, after[i]); err != nil {
			return fmt.Errorf("store a part of a session: %w", err)
		}
	}
	from, to := session.SumsOf(before[0], before[1]), session.SumsOf(after[0], after[1])
	for i := range 2 {
		t.moveSum(was, now, session.Part{Module: module, Day: first + day.Day(i)}, from[i], to[i])
	}
	return nil
}

// moveSum takes from the sums of was's owner what it added to them before, and adds to those of now's owner what it adds after.
func (t *tables) moveSum(was, now *stored, p session.Part, before, after session.Sum) {
	if was != nil && now != nil && was.owner() == now.owner() {
		t.addSum(now.owner(), p, after.Minus(before))
		return
	}
	if was != nil {
		t.addSum(was.owner(), p, session.Sum{}.Minus(before))
	}
	if now != nil {
		t.addSum(now.owner(), p, after)
	}
}
