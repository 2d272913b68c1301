package bolt

import (
	"cmp"
	"fmt"
	"maps"

	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

func sumKey(o owner, p session.Part) []byte {
	return appendSumKey(make([]byte, 0, 4*4), o, p)
}

func appendSumKey(dst []byte, o owner, p session.Part) []byte {
	for _, part := range [...]uint32{uint32(o.account), uint32(o.user), uint32(p.Module), uint32(p.Day)} {
		dst = keys.AppendUint32(dst, part)
	}
	return dst
}

// parseSumPart reads the part from the key of an owner's sum.
func parseSumPart(key []byte) (p session.Part, err error) {
	r := keys.Read(key[len(owner{}.prefix()):])
	p = session.Part{Module: session.Name(r.Uint32()), Day: day.Day(r.Uint32())}
	if r.Err() != nil || len(r.Rest()) > 0 {
		return p, fmt.Errorf("%w: key of a sum", record.ErrCorrupt)
	}
	return p, nil
}

// addSum adds to one daily sum. One that is zero is not stored.
func (t *tables) addSum(o owner, p session.Part, by session.Sum) error {
	if by == (session.Sum{}) {
		return nil
	}
	if t.pending != nil {
		t.pending.add(sumID{o, p}, by)
		return nil
	}
	return t.addStoredSum(o, p, by)
}

func (t *tables) addStoredSum(o owner, p session.Part, by session.Sum) error {
	t.key = appendSumKey(t.key[:0], o, p)
	var was session.Sum
	if sealed := t.sums.Get(t.key); sealed != nil {
		var err error
		if was, err = decodeSum(t.key, sealed); err != nil {
			return err
		}
	}
	return t.putSum(t.key, was.Plus(by))
}

func (t *tables) putSum(key []byte, s session.Sum) error {
	if s == (session.Sum{}) {
		return t.sums.Delete(key)
	}
	t.value = appendSum(t.value[:0], s)
	return t.sums.Put(key, t.room.Seal(key, t.value))
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
	return nil
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
		if err := t.moveSum(was, now, session.Part{Module: module, Day: first + day.Day(i)}, from[i], to[i]); err != nil {
			return fmt.Errorf("store a daily sum: %w", err)
		}
	}
	return nil
}

// moveSum takes from the sums of was's owner what it added to them before, and adds to those of now's owner what it adds after.
func (t *tables) moveSum(was, now *stored, p session.Part, before, after session.Sum) error {
	if was != nil && now != nil && was.owner() == now.owner() {
		return t.addSum(now.owner(), p, after.Minus(before))
	}
	if was != nil {
		if err := t.addSum(was.owner(), p, session.Sum{}.Minus(before)); err != nil {
			return err
		}
	}
	if now != nil {
		return t.addSum(now.owner(), p, after)
	}
	return nil
}
