package bolt

import (
	"errors"
	"slices"

	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/packid"
	"github.com/sojournhq/sojourn/internal/kit/record"
	storagev1 "github.com/sojournhq/sojourn/proto/sojourn/identity/storage/v1"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
)

// rejection enters a rejection into the books, and says whether it is a duplicate.
func (r *recorder) rejection(rejected *directory.Rejection) (repeated bool, err error) {
	if rejected.Accepted != nil {
		return r.refuse(rejected)
	}
	book, err := r.book(rejected.Source, rejected.Type)
	if err != nil {
		return false, err
	}
	// With the source in the key, what the books of one source say does not depend on which of two sources was first.
	key := rejectionKey(rejected)
	row, known, err := r.rejectionRow(key)
	if err != nil {
		return false, err
	}
	if known && !row.GetInLedger() {
		book.Duplicate++
		return true, nil
	}
	count(book, rejected.Code)
	row.Code, row.InLedger = rejected.Code, false
	return false, put(r.rejections, key, row)
}

// rejectionRow returns the row under a key, an empty one if there is none.
func (t *tables) rejectionRow(key []byte) (row *storagev1.RejectionRow, known bool, err error) {
	row = &storagev1.RejectionRow{}
	sealed := t.rejections.Get(key)
	if sealed == nil {
		return row, false, nil
	}
	return row, true, record.Unmarshal(key, sealed, row)
}

func rejectionKey(rejected *directory.Rejection) []byte {
	return append(slices.Clone(rejected.Fingerprint[:]), rejected.Source...)
}

func count(book *storagev1.BookRow, code string) {
	if book.Rejected == nil {
		book.Rejected = map[string]int64{}
	}
	book.Rejected[code]++
}

var errNotAccepted = errors.New("refused: no call of that type was accepted")

// refuse counts a call that was accepted as rejected. Every copy of it will be refused again; the first time counts.
func (r *recorder) refuse(rejected *directory.Rejection) (repeated bool, err error) {
	key := packid.Append(keys.AppendTime(nil, *rejected.Accepted), rejected.MessageID)
	sealed := r.ledger.Get(key)
	if sealed == nil {
		return true, nil // nothing was counted that could be counted otherwise
	}
	row, err := readLedger(key, sealed)
	if err != nil || row.refused {
		return true, err
	}
	book, err := r.book(row.source, rejected.Type)
	if err != nil {
		return false, err
	}
	if book.GetAccepted() == 0 { // whoever refuses it says that it is of another type than it was accepted as
		return false, errNotAccepted
	}
	book.Accepted--
	count(book, rejected.Code)
	row.refused = true
	return false, r.putLedger(key, &row)
}

// keep keeps the rejections of a batch to be looked at, but for those that those behind them would push out at once.
func (r *recorder) keep(b *directory.Batch, c checked) (err error) {
	if len(b.Rejections) == 0 {
		return nil
	}
	if c.generation != r.gone.Generation() { // somebody was deleted since
		if c, err = r.check(b); err != nil {
			return err
		}
	}
	if b.ReceivedMS >= b.KeepFromMS {
		for i := firstKept(b); i < len(b.Rejections); i++ {
			if err := r.keepOne(&b.Rejections[i], c.forgotten[i], b.ReceivedMS); err != nil {
				return err
			}
		}
	}
	_, err = r.kept.trim(b.KeepFromMS, len(b.Rejections))
	return err
}

// keepOne keeps a rejection as the latest one, in place of where it was kept before; if it is forgotten, not at all.
func (r *recorder) keepOne(rejected *directory.Rejection, forgotten bool, receivedMS int64) error {
	key := rejectionKey(rejected)
	row, known, err := r.rejectionRow(key)
	if err != nil {
		return err
	}
	if !known {
		row.Code, row.InLedger = rejected.Code, true
	}
	times, err := r.kept.take(row.GetKept())
	if err != nil || forgotten {
		return err
	}
	row.Kept, err = r.kept.append(&storagev1.KeptRow{
		ReceivedMs: receivedMS, Times: times + 1,
		Source: rejected.Source, Type: rejected.Type, Code: rejected.Code, Message: rejected.Message, Field: rejected.Field,
		MessageId: rejected.MessageID, UserId: rejected.UserID, TimeMs: rejected.TimeMS,
		Body: rejected.Body, BodyBytes: rejected.BodyBytes, Fingerprint: slices.Clone(rejected.Fingerprint[:]),
	})
	if err != nil {
		return err
	}
	return put(r.rejections, key, row)
}
