package bolt

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// partsInRow is how many parts stand in the session's own row: nearly always all. The parts of a session that visits more modules than
// people do stand in a table of their own, so that the row is written as fast as ever.
const partsInRow = 32

func partKey(more uint64, p session.Part) []byte {
	key := keys.AppendUint32(keys.AppendUint32(make([]byte, 0, 16), uint32(more>>32)), uint32(more))
	return keys.AppendUint32(keys.AppendUint32(key, uint32(p.Module)), uint32(p.Day))
}

// part returns one part of a session.
func (t *tables) part(s *stored, p session.Part) (session.Amount, error) {
	for i := range s.parts {
		if s.parts[i].Part == p {
			return s.parts[i].Amount, nil
		}
	}
	if s.more == 0 {
		return session.Amount{}, nil
	}
	key := partKey(s.more, p)
	sealed := t.parts.Get(key)
	if sealed == nil {
		return session.Amount{}, nil
	}
	more, err := openPart(key, sealed)
	return more.Amount, err
}

// setPart sets one part of a session, in its row, which is not stored by it, or in the table.
func (t *tables) setPart(s *stored, p session.Part, a session.Amount) error {
	none := a == session.Amount{}
	i := slices.IndexFunc(s.parts, func(known storedPart) bool { return known.Part == p })
	switch {
	case i >= 0 && none:
		s.parts = slices.Delete(s.parts, i, i+1)
		return nil
	case i >= 0:
		s.parts[i].Amount = a
		return nil
	case none && s.more == 0:
		return nil
	case none:
		return t.parts.Delete(partKey(s.more, p))
	case s.more == 0 && len(s.parts) < partsInRow:
		s.parts = append(s.parts, storedPart{p, a})
		return nil
	}
	return t.putMorePart(s, p, a)
}

// putMorePart stores a part in the table.
func (t *tables) putMorePart(s *stored, p session.Part, a session.Amount) error {
	if s.more == 0 {
		number, err := t.parts.NextSequence()
		if err != nil {
			return fmt.Errorf("number the parts of a session: %w", err)
		}
		s.more = number
	}
	key := partKey(s.more, p)
	t.value = record.Seal(key, appendAmount(t.value[:0], a))
	return t.parts.Put(key, t.value)
}

// openPart reads a row of the table. The part that it is of stands in its key.
func openPart(key, sealed []byte) (p storedPart, err error) {
	value, err := record.Open(key, sealed)
	if err == nil {
		p, err = readPart(value)
	}
	if err != nil {
		return p, fmt.Errorf("part of a session: %w", err)
	}
	return p, nil
}

// allParts returns all parts of a session.
func (t *tables) allParts(s *stored) (session.Parts, error) {
	all := make(session.Parts, len(s.parts))
	for _, p := range s.parts {
		all[p.Part] = p.Amount
	}
	if s.more == 0 {
		return all, nil
	}
	prefix := partKey(s.more, session.Part{})[:8]
	cursor := t.parts.Cursor()
	for key, sealed := cursor.Seek(prefix); bytes.HasPrefix(key, prefix); key, sealed = cursor.Next() {
		row, err := openPart(key, sealed)
		if err != nil {
			return nil, err
		}
		r := keys.Read(key[8:])
		p := session.Part{Module: session.Name(r.Uint32()), Day: day.Day(r.Uint32())}
		if r.Err() != nil {
			return nil, fmt.Errorf("part of a session: %w: %w", record.ErrCorrupt, r.Err())
		}
		all[p] = row.Amount
	}
	return all, nil
}

// modules returns the modules of parts, AllModules too, in order, so that the same calls always write the same file.
func modules(parts session.Parts) []session.Name {
	all := make([]session.Name, 0, len(parts))
	for p := range parts {
		all = append(all, p.Module)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// dropParts deletes what a session has in the table.
func (t *tables) dropParts(s *stored) error {
	if s.more == 0 {
		return nil
	}
	prefix := partKey(s.more, session.Part{})[:8]
	cursor := t.parts.Cursor()
	for key, _ := cursor.Seek(prefix); bytes.HasPrefix(key, prefix); key, _ = cursor.Seek(prefix) {
		if err := t.parts.Delete(key); err != nil {
			return fmt.Errorf("delete a part of a session: %w", err)
		}
	}
	return nil
}
