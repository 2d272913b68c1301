package bolt

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"

	bbolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
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

// Downgrade makes of days, in a file whose rows are not in blocks, what format 2 kept in their place.
func Downgrade(tx *bbolt.Tx) error {
	workspaces := tx.Bucket(workspacesBucket)
	return errors.Join(
		workspaces.ForEachBucket(func(name []byte) error { return downgradeDays(workspaces.Bucket(name)) }),
		tx.Bucket([]byte("meta")).Put([]byte("format"), []byte{0, 0, 0, 2}),
	)
}

func downgradeDays(workspace *bbolt.Bucket) error {
	sums, err := workspace.CreateBucket(oldSums)
	if err != nil {
		return err
	}
	put := func(key []byte, m moduleSum) {
		at := slices.Concat(key[:8], binary.BigEndian.AppendUint32(nil, uint32(m.module)), key[8:12])
		err = errors.Join(err, sums.Put(at, record.Seal(at, appendSum(nil, m.Sum))))
	}
	_ = workspace.Bucket(daysTable).ForEach(func(key, sealed []byte) error {
		if _, module, further, _ := parseDayKey(key); further {
			s, failed := decodeSum(key, sealed)
			err = errors.Join(err, failed)
			put(key, moduleSum{module, s})
			return nil
		}
		var d daySums
		err = errors.Join(err, decodeDay(&d, key, sealed))
		for _, m := range append(d.modules, moduleSum{session.AllModules, d.total}) {
			put(key, m)
		}
		return nil
	})
	return errors.Join(err, workspace.DeleteBucket(daysTable))
}
