package bolt

import (
	"context"
	"fmt"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	storagev1 "github.com/sojournhq/sojourn/proto/sojourn/identity/storage/v1"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
)

// Kept implements directory.Store.
func (s *Store) Kept(ctx context.Context, workspace string, before uint64, do func(*directory.Kept) bool) error {
	return s.view(ctx, workspace, func(t *tables) error { return t.kept.each(before, do) })
}

func (k kept) each(before uint64, do func(*directory.Kept) bool) error {
	if k.bucket == nil {
		return nil
	}
	cursor := k.bucket.Cursor()
	key, sealed := cursor.Last()
	if before != 0 {
		if key, _ = cursor.Seek(keptKey(before)); key == nil {
			key, sealed = cursor.Last()
		} else {
			key, sealed = cursor.Prev()
		}
	}
	for ; key != nil; key, sealed = cursor.Prev() {
		number, row, err := decodeKept(key, sealed)
		if err != nil {
			return err
		}
		if !do(toKept(number, row)) {
			return nil
		}
	}
	return nil
}

func toKept(number uint64, row *storagev1.KeptRow) *directory.Kept {
	return &directory.Kept{
		Number: number, ReceivedMS: row.GetReceivedMs(), Times: row.GetTimes(),
		Rejection: directory.Rejection{
			Source: row.GetSource(), Type: row.GetType(), Code: row.GetCode(), Message: row.GetMessage(), Field: row.GetField(),
			MessageID: row.GetMessageId(), UserID: row.GetUserId(), TimeMS: row.GetTimeMs(),
			Body: row.GetBody(), BodyBytes: row.GetBodyBytes(), Fingerprint: [16]byte(row.GetFingerprint()),
		},
	}
}

// TrimKept implements directory.Store.
func (s *Store) TrimKept(ctx context.Context, workspace string, beforeMS int64, limit int) (int, error) {
	old := false
	err := s.view(ctx, workspace, func(t *tables) (err error) {
		old, err = t.kept.outlived(beforeMS)
		return err
	})
	if err != nil || !old {
		return 0, err
	}
	removed, err := boltdb.Do(ctx, s.db, func(tx *boltdb.Tx) (int, error) {
		t, err := writable(tx, workspace)
		if err != nil {
			return 0, err
		}
		return t.kept.trim(beforeMS, limit)
	})
	if err != nil {
		return 0, fmt.Errorf("trim kept rejections: %w", err)
	}
	return removed, nil
}

// outlived says whether there is anything to trim, without writing.
func (k kept) outlived(beforeMS int64) (bool, error) {
	if k.bucket == nil {
		return false, nil
	}
	key, sealed := k.bucket.Cursor().First()
	if key == nil {
		return false, nil
	}
	_, row, err := decodeKept(key, sealed)
	return err == nil && row.GetReceivedMs() < beforeMS, err
}
