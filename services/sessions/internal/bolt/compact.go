package bolt

import (
	"encoding/binary"
	"fmt"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// Compact drops the names that nothing names any more from the file that the options name, which must not be open, and writes it anew, so
// that nothing of what was deleted is left in it.
func Compact(o boltdb.Options) error {
	o = Mark(o)
	s := &Store{rules: func(string) session.Rules { return session.DefaultRules() }}
	return boltdb.Compact(o, func(tx *boltdb.Tx) error {
		for workspace := range s.workspaces(tx) {
			t, err := s.writable(tx, workspace)
			if err != nil {
				return err
			}
			if err := t.sweepNames(); err != nil {
				return fmt.Errorf("sweep the names of workspace %q: %w", workspace, err)
			}
		}
		return nil
	})
}

// sweepNames takes the names out of the dictionary that nothing names any more.
func (t *tables) sweepNames() error {
	used := map[uint32]bool{t.rulesName: true}
	use := func(numbers ...uint32) {
		for _, n := range numbers {
			used[n] = true
		}
	}
	err := t.points.ForEach(func(key, sealed []byte) error {
		p, err := decodePoint(key, sealed)
		use(binary.BigEndian.Uint32(key), uint32(p.Module), uint32(p.User), uint32(p.Account))
		return err
	})
	if err != nil {
		return err
	}
	err = t.sessions.ForEach(func(key, sealed []byte) error {
		_, s, err := decodeSession(key, sealed)
		if err == nil {
			use(s.rules)
		}
		return err
	})
	if err != nil {
		return err
	}
	err = t.gone.ForEach(func(key, _ []byte) error {
		use(keys.Read(key).Uint32())
		return nil
	})
	if err != nil {
		return err
	}
	cursor := t.feed.Cursor()
	for key, sealed := cursor.Seek(changeKey(0)); key != nil; key, sealed = cursor.Next() {
		row, err := decodeChange(key, sealed)
		if err != nil {
			return err
		}
		use(row.GetAnonymous(), row.GetUser(), row.GetAccount())
		for _, m := range row.GetModules() {
			use(m.GetModule())
		}
	}
	_, err = t.names.Sweep(func(number uint32) bool { return used[number] })
	return err
}
