package bolt

import (
	"context"
	"encoding/binary"
	"fmt"

	bbolt "go.etcd.io/bbolt"
)

// Trim implements session.Upkeep.
func (s *Store) Trim(ctx context.Context, beforeMS int64, limit int) (removed int, err error) {
	var workspaces []string
	err = s.db.View(func(tx *bbolt.Tx) error {
		workspaces, err = s.outlived(tx, beforeMS)
		return err
	})
	if err != nil || len(workspaces) == 0 {
		return 0, err
	}
	err = s.db.Update(ctx, func(tx *bbolt.Tx) error {
		removed = 0
		for _, workspace := range workspaces {
			t, err := s.writable(tx, workspace)
			if err != nil {
				return err
			}
			n, err := t.trim(beforeMS, limit-removed)
			if err != nil {
				return err
			}
			removed += n
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("trim the feed: %w", err)
	}
	return removed, nil
}

// outlived returns the workspaces whose oldest change was told before a time.
func (s *Store) outlived(tx *bbolt.Tx, beforeMS int64) (found []string, err error) {
	for workspace := range s.workspaces(tx) {
		t := s.readable(tx, workspace)
		key, sealed := t.feed.Cursor().Seek(changeKey(0))
		if key == nil {
			continue
		}
		row, err := decodeChange(key, sealed)
		if err != nil {
			return nil, err
		}
		if row.GetToldMs() < beforeMS {
			found = append(found, workspace)
		}
	}
	return found, nil
}

func (t *tables) trim(beforeMS int64, limit int) (removed int, err error) {
	feed, err := t.feedRow()
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
		if err != nil {
			return 0, err
		}
		if row.GetToldMs() >= beforeMS {
			break
		}
		feed.Trimmed = binary.BigEndian.Uint64(key[1:])
		if err := cursor.Delete(); err != nil {
			return 0, err
		}
	}
	return removed, t.putFeed(feed)
}
