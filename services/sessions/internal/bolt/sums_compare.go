package bolt

import (
	"bytes"
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
	for _, table := range []*boltdb.Bucket{t.byOwner, t.sums} {
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

// compareSums returns what the sums of one owner should be where they are not, and how many sums and sessions it looked at.
func (t *tables) compareSums(o owner) (differing map[session.Part]session.Sum, looked int, err error) {
	want, sessions, err := t.sumsOf(o)
	if err != nil {
		return nil, 0, err
	}
	stored, err := t.storedSums(o)
	if err != nil {
		return nil, 0, err
	}
	differing = map[session.Part]session.Sum{}
	for p, s := range want {
		if stored[p] != s {
			differing[p] = s
		}
	}
	for p := range stored {
		if _, wanted := want[p]; !wanted {
			differing[p] = session.Sum{}
		}
	}
	return differing, sessions + len(stored), nil
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
		differing, _, err := t.compareSums(o)
		if err != nil {
			return 0, err
		}
		for _, p := range slices.SortedFunc(maps.Keys(differing), session.Part.Compare) {
			if err := t.putSum(sumKey(o, p), differing[p]); err != nil {
				return 0, fmt.Errorf("repair a daily sum: %w", err)
			}
			repaired++
		}
	}
	return repaired, nil
}

// storedSums returns the stored sums of one owner. One that cannot be read is returned as a sum that none can have.
func (t *tables) storedSums(o owner) (map[session.Part]session.Sum, error) {
	stored := map[session.Part]session.Sum{}
	prefix := o.prefix()
	cursor := t.sums.Cursor()
	for key, sealed := cursor.Seek(prefix); bytes.HasPrefix(key, prefix); key, sealed = cursor.Next() {
		p, err := parseSumPart(key)
		if err != nil {
			return nil, err
		}
		s, err := decodeSum(key, sealed)
		if err != nil {
			s = session.Sum{Sessions: -1}
		}
		stored[p] = s
	}
	return stored, nil
}
