package bolt

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
)

// Trim implements session.Upkeep.
func (s *Store) Trim(ctx context.Context, beforeMS int64, limit int) (removed int, err error) {
	var workspaces []string
	var unreadable error
	err = s.db.View(func(tx *boltdb.Tx) error {
		workspaces, unreadable = s.outlived(tx, beforeMS)
		return nil
	})
	if err != nil || len(workspaces) == 0 {
		return 0, errors.Join(err, unreadable)
	}
	removed, err = boltdb.Do(ctx, s.db, func(tx *boltdb.Tx) (removed int, err error) {
		for _, workspace := range workspaces {
			t, err := s.writable(tx, workspace)
			if err != nil {
				return 0, err
			}
			n, err := t.trim(beforeMS, limit-removed)
			if err != nil {
				return 0, err
			}
			removed += n
		}
		return removed, nil
	})
	if err = errors.Join(err, unreadable); err != nil {
		return removed, fmt.Errorf("trim the feed: %w", err)
	}
	return removed, nil
}

// outlived returns the workspaces whose oldest change was told before a time. One whose oldest change cannot be read is named by the error,
// and costs only itself.
func (s *Store) outlived(tx *boltdb.Tx, beforeMS int64) (found []string, unreadable error) {
	for workspace := range s.workspaces(tx) {
		key, sealed := s.readable(tx, workspace).feed.Cursor().Seek(changeKey(0))
		if key == nil {
			continue
		}
		row, err := decodeChange(key, sealed)
		unreadable = errors.Join(unreadable, err)
		if err == nil && row.GetToldMs() < beforeMS {
			found = append(found, workspace)
		}
	}
	return found, unreadable
}

// trim removes changes until one is younger, or cannot be read.
func (t *tables) trim(beforeMS int64, limit int) (removed int, err error) {
	f, err := t.openFeed()
	if err != nil {
		return 0, err
	}
	cursor := t.feed.Cursor()
	for ; removed < limit; removed++ {
		key, sealed := cursor.Seek(changeKey(0))
		if key == nil {
			break
		}
		row, err := decodeChange(key, sealed)
		if err != nil || row.GetToldMs() >= beforeMS {
			break
		}
		f.row.Trimmed = binary.BigEndian.Uint64(key[1:])
		if err := cursor.Delete(); err != nil {
			return 0, err
		}
	}
	for epochs := f.row.GetEpochs(); len(epochs) > 1 && epochs[1].GetFirst() <= f.row.GetTrimmed(); epochs = f.row.GetEpochs() {
		f.row.Epochs = epochs[1:]
	}
	return removed, t.putFeed(f.row)
}
