package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
	storagev1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/storage/v1"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// feedKey is the key of the row that says where the feed begins. It sorts before all changes.
var feedKey = []byte{0}

// maxReplaced is how many sessions one change replaces at most; where there are more, the session is told once more with the next.
const maxReplaced = 1000

func changeKey(number uint64) []byte { return binary.BigEndian.AppendUint64([]byte{1}, number) }

// tell appends to the feed that a session has ended, as it is now, and which sessions told before it has taken in.
func (t *tables) tell(at ref, s *stored, nowMS int64) error {
	first, err := t.first(at)
	if err != nil {
		return err
	}
	row := &storagev1.ChangeRow{
		ToldMs: nowMS, Id: first.ID().Bytes(), Revision: s.revision,
		Anonymous: at.anonymous, StartMs: at.TimeMS, StartMessageId: at.MessageID, StartOriginalMs: at.OriginalMS, EndMs: s.End.TimeMS,
		User: uint32(s.User), Account: uint32(s.Account), Points: s.Points,
	}
	modules, activeMS, err := t.moduleTimes(s)
	if err != nil {
		return err
	}
	row.ActiveMs = activeMS
	row.ModulesOmitted = int64(max(0, len(modules)-session.MaxModules))
	if modules, err = t.longest(modules); err != nil {
		return err
	}
	for _, m := range modules {
		row.Modules = append(row.Modules, &storagev1.ModuleRow{Module: uint32(m.module), DurationMs: m.durationMS, ActiveMs: m.activeMS})
	}
	replaced, more, err := t.takeGone(at, s)
	if err != nil {
		return err
	}
	for _, position := range replaced {
		row.Replaces = append(row.Replaces, session.First{AnonymousID: first.AnonymousID, Start: position}.ID().Bytes())
	}
	if err := t.appendChange(row); err != nil {
		return err
	}
	s.told = s.revision
	if more {
		if s.revision, err = t.nextRevision(); err != nil {
			return err
		}
		if err := t.putTimer(at, &s.Session); err != nil {
			return err
		}
	}
	return t.putRow(at, s)
}

// takeGone forgets, and returns, the first points of sessions that were told before, are no more, and lie within a session. More says that
// there are further ones.
func (t *tables) takeGone(at ref, s *stored) (found []call.Position, more bool, err error) {
	prefix := keys.AppendUint32(nil, at.anonymous)
	var taken [][]byte
	cursor := t.gone.Cursor()
	key, _ := cursor.Seek(keys.AppendTime(bytes.Clone(prefix), at.TimeMS))
	for ; bytes.HasPrefix(key, prefix); key, _ = cursor.Next() {
		r, err := parseRef(key)
		if err != nil {
			return nil, false, err
		}
		if r.TimeMS > s.End.TimeMS {
			break
		}
		if r.Compare(s.Start) < 0 || r.Compare(s.End) > 0 {
			continue
		}
		if len(found) == maxReplaced {
			more = true
			break
		}
		found, taken = append(found, r.Position), append(taken, bytes.Clone(key))
	}
	for _, key := range taken {
		if err := t.gone.Delete(key); err != nil {
			return nil, false, fmt.Errorf("delete a gone session: %w", err)
		}
	}
	return found, more, nil
}

func (t *tables) appendChange(row *storagev1.ChangeRow) error {
	number, err := t.feed.NextSequence()
	if err != nil {
		return fmt.Errorf("number a change: %w", err)
	}
	f, err := t.openFeed()
	if err != nil {
		return err
	}
	if f.cursor(number).Epoch != t.epoch {
		f.row.Epochs = append(f.row.Epochs, &storagev1.EpochRow{Epoch: t.epoch, First: number})
		if err := t.putFeed(f.row); err != nil {
			return err
		}
	}
	return t.putChange(changeKey(number), row)
}

func (t *tables) putChange(key []byte, row *storagev1.ChangeRow) error {
	sealed, err := record.Marshal(key, row)
	if err != nil {
		return err
	}
	if err := t.feed.Put(key, sealed); err != nil {
		return fmt.Errorf("store a change: %w", err)
	}
	return nil
}

func (t *tables) putFeed(row *storagev1.FeedRow) error {
	sealed, err := record.Marshal(feedKey, row)
	if err != nil {
		return err
	}
	if err := t.feed.Put(feedKey, sealed); err != nil {
		return fmt.Errorf("store where the feed begins: %w", err)
	}
	return nil
}
