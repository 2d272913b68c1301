package bolt

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// next is where the prefixes of further owners begin.
func (o owner) next() []byte {
	return binary.BigEndian.AppendUint64(nil, binary.BigEndian.Uint64(o.prefix())+1)
}

// nextOwner returns the first owner at or behind a prefix that has sessions or sums.
func (t *tables) nextOwner(from []byte) (o owner, ok bool, err error) {
	for _, table := range []*boltdb.Bucket{t.byOwner, t.days} {
		key, _ := table.Cursor().Seek(from)
		if key == nil {
			continue
		}
		r := keys.Read(key)
		found := owner{session.Name(r.Uint32()), session.Name(r.Uint32())}
		if r.Err() != nil {
			return o, false, fmt.Errorf("owner: %w: %w", record.ErrCorrupt, r.Err())
		}
		if !ok || bytes.Compare(found.prefix(), o.prefix()) < 0 {
			o, ok = found, true
		}
	}
	return o, ok, nil
}

// compareSums returns on which days the sums of one owner are not what they should be, and how many; what they should be, by day; and how
// many sums and sessions it looked at.
func (t *tables) compareSums(o owner) (wrong map[day.Day]int, want map[day.Day][]moduleSum, looked int, err error) {
	sums, sessions, err := t.sumsOf(o)
	if err != nil {
		return nil, nil, 0, err
	}
	stored, wrong, err := t.storedSums(o)
	if err != nil {
		return nil, nil, 0, err
	}
	want = map[day.Day][]moduleSum{}
	for p, s := range sums {
		want[p.Day] = append(want[p.Day], moduleSum{p.Module, s})
		if stored[p] != s {
			wrong[p.Day]++
		}
	}
	for p := range stored {
		if _, wanted := sums[p]; !wanted {
			wrong[p.Day]++
		}
	}
	return wrong, want, sessions + len(stored), nil
}

// sumsOf adds up the parts of all sessions of one owner, and says how many they are.
func (t *tables) sumsOf(o owner) (sums map[session.Part]session.Sum, sessions int, err error) {
	sums = map[session.Part]session.Sum{}
	prefix := o.prefix()
	cursor := t.byOwner.Cursor()
	for key, _ := cursor.Seek(prefix); bytes.HasPrefix(key, prefix); key, _ = cursor.Next() {
		at, err := parseByStart(key[len(prefix):])
		if err != nil {
			return nil, 0, err
		}
		_, s, err := decodeSession(at.key(), t.sessions.Get(at.key()))
		if err != nil {
			return nil, 0, err
		}
		parts, err := t.allParts(s)
		if err != nil {
			return nil, 0, err
		}
		for p, sum := range partSums(s.day(), parts) {
			sums[p] = sums[p].Plus(sum)
		}
		sessions++
	}
	return sums, sessions, nil
}

// partSums returns what the parts of one session, whose first day is first, add to sums.
func partSums(first day.Day, parts session.Parts) map[session.Part]session.Sum {
	sums := make(map[session.Part]session.Sum, len(parts))
	for _, module := range modules(parts) {
		today, tomorrow := session.Part{Module: module, Day: first}, session.Part{Module: module, Day: first + 1}
		of := session.SumsOf(parts[today], parts[tomorrow])
		for i, p := range []session.Part{today, tomorrow} {
			if of[i] != (session.Sum{}) {
				sums[p] = of[i]
			}
		}
	}
	return sums
}

// repairSums makes the sums of owners those that they should be, and returns how many were not.
func (t *tables) repairSums(owners []owner) (repaired int64, err error) {
	for _, o := range owners {
		wrong, want, _, err := t.compareSums(o)
		if err != nil {
			return 0, err
		}
		for _, d := range slices.Sorted(maps.Keys(wrong)) {
			id := dayID{o, d}
			slices.SortFunc(want[d], func(a, b moduleSum) int { return cmp.Compare(a.module, b.module) })
			if err := cmp.Or(t.dropDay(id), t.dayRows.add(id, want[d])); err != nil {
				return 0, fmt.Errorf("repair daily sums: %w", err)
			}
			repaired += int64(wrong[d])
		}
	}
	return repaired, nil
}

// storedSums returns the stored sums of one owner, and on how many days rows are not as any could be: that cannot be read, or do not fit
// together.
func (t *tables) storedSums(o owner) (stored map[session.Part]session.Sum, wrong map[day.Day]int, err error) {
	stored, wrong = map[session.Part]session.Sum{}, map[day.Day]int{}
	further := map[day.Day]uint64{} // how many rows of modules are missing, modulo 2⁶⁴
	prefix := o.prefix()
	cursor := t.days.Cursor()
	var row daySums
	for key, sealed := cursor.Seek(prefix); bytes.HasPrefix(key, prefix); key, sealed = cursor.Next() {
		d, module, isFurther, err := parseDayKey(key)
		if err != nil {
			return nil, nil, err
		}
		if isFurther {
			further[d]--
			p := session.Part{Module: module, Day: d}
			if _, twice := stored[p]; twice {
				wrong[d]++
			}
			if stored[p], err = decodeSum(key, sealed); err != nil {
				wrong[d]++
			}
			continue
		}
		if err := decodeDay(&row, key, sealed); err != nil || !row.isSorted() {
			wrong[d]++
			continue
		}
		further[d] += row.more
		stored[session.Part{Module: session.AllModules, Day: d}] = row.total
		for _, m := range row.modules {
			stored[session.Part{Module: m.module, Day: d}] = m.Sum
		}
	}
	for d, missing := range further {
		if missing != 0 {
			wrong[d]++
		}
	}
	return stored, wrong, nil
}
