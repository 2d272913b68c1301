package bolt

import (
	"encoding/binary"
	"fmt"

	"github.com/sojournhq/sojourn/internal/domain/deletion"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/record"
	storagev1 "github.com/sojournhq/sojourn/proto/sojourn/identity/storage/v1"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
	"github.com/sojournhq/sojourn/services/identity/internal/mention"
)

// kept is the table of the rejections that are kept to be looked at. Files from before there was one have none until something is recorded.
type kept struct{ bucket *boltdb.Bucket }

func keptKey(number uint64) []byte { return binary.BigEndian.AppendUint64(nil, number) }

// decodeKept returns the number in a key and the row under it.
func decodeKept(key, sealed []byte) (uint64, *storagev1.KeptRow, error) {
	row := &storagev1.KeptRow{}
	if err := record.Unmarshal(key, sealed, row); err != nil {
		return 0, nil, err
	}
	if len(key) != len(keptKey(0)) || len(row.GetFingerprint()) != len(directory.Rejection{}.Fingerprint) {
		return 0, nil, fmt.Errorf("%w: a kept rejection", record.ErrCorrupt)
	}
	return binary.BigEndian.Uint64(key), row, nil
}

// take removes the row with a number and returns how often its call came; 0 if there is none.
func (k kept) take(number uint64) (times int64, err error) {
	key := keptKey(number)
	sealed := k.bucket.Get(key)
	if number == 0 || sealed == nil {
		return 0, nil
	}
	_, row, err := decodeKept(key, sealed)
	if err != nil {
		return 0, err
	}
	return row.GetTimes(), k.delete(key)
}

func (k kept) delete(key []byte) error {
	if err := k.bucket.Delete(key); err != nil {
		return fmt.Errorf("delete a kept rejection: %w", err)
	}
	return nil
}

// append keeps a rejection as the latest one and returns its number.
func (k kept) append(row *storagev1.KeptRow) (uint64, error) {
	number, err := k.bucket.NextSequence()
	if err != nil {
		return 0, fmt.Errorf("number a kept rejection: %w", err)
	}
	return number, put(k.bucket, keptKey(number), row)
}

// trim removes at most limit rows, the oldest first, that were received before a time or are more than MaxKept.
func (k kept) trim(beforeMS int64, limit int) (removed int, err error) {
	if k.bucket == nil {
		return 0, nil
	}
	for excess := k.count() - directory.MaxKept; removed < limit; removed++ {
		key, sealed := k.bucket.Cursor().First()
		if key == nil {
			break
		}
		_, row, err := decodeKept(key, sealed)
		if err != nil {
			return removed, err
		}
		if removed >= excess && row.GetReceivedMs() >= beforeMS {
			break
		}
		if err := k.delete(key); err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// count returns how many rows there are, or, where numbers show that there are few enough, 0.
func (k kept) count() (n int) {
	cursor := k.bucket.Cursor()
	key, _ := cursor.First()
	if len(key) != len(keptKey(0)) || k.bucket.Sequence()-binary.BigEndian.Uint64(key) < directory.MaxKept {
		return 0
	}
	for ; key != nil; key, _ = cursor.Next() {
		n++
	}
	return n
}

// forget removes the rows that name a user who is deleted at their time.
func (k kept) forget(gone deletion.Tombstones, ids ...string) (removed int64, err error) {
	if k.bucket == nil || len(ids) == 0 {
		return 0, nil
	}
	search := mention.New(ids...)
	var found [][]byte
	cursor := k.bucket.Cursor()
	for key, sealed := cursor.First(); key != nil; key, sealed = cursor.Next() {
		_, row, err := decodeKept(key, sealed)
		if err != nil {
			return 0, err
		}
		for _, id := range append(search.In(row.GetBody()), row.GetUserId(), row.GetMessageId()) {
			covered, err := gone.Covers(id, row.GetTimeMs())
			if err != nil {
				return 0, err
			}
			if covered {
				found = append(found, append([]byte(nil), key...))
				break
			}
		}
	}
	for _, key := range found {
		if err := k.delete(key); err != nil {
			return 0, err
		}
	}
	return int64(len(found)), nil
}
