package bolt

import (
	"context"
	"errors"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
)

// SetRebuildStep lets tests take many steps for few points.
func (s *Store) SetRebuildStep(points int64) { s.rebuildStep = points }

// RecordAndUndo records calls in a transaction that is undone then, as by a panic behind it.
func (s *Store) RecordAndUndo(ctx context.Context, workspace string, calls []call.Call) error {
	undone := errors.New("undone")
	err := s.db.Update(ctx, func(tx *boltdb.Tx) error {
		t, err := s.writable(tx, workspace)
		if err != nil {
			return err
		}
		r, err := newRecorder(t, calls)
		if err == nil {
			err = r.record()
		}
		return errors.Join(undone, err)
	})
	if errors.Is(err, undone) {
		return nil
	}
	return err
}
