package bolt

import (
	"context"

	bbolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/packid"
	"github.com/sojournhq/sojourn/internal/kit/record"
	storagev1 "github.com/sojournhq/sojourn/proto/sojourn/identity/storage/v1"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
)

// Record implements directory.Store.
func (s *Store) Record(ctx context.Context, workspace string, b directory.Batch) ([]directory.Result, error) {
	var results []directory.Result
	err := s.db.Update(ctx, func(tx *bbolt.Tx) error {
		t, err := writable(tx, workspace)
		if err != nil {
			return err
		}
		recorded, err := newRecorder(t).batch(b)
		results = recorded
		return err
	})
	if err != nil {
		// The transaction may still be running if ctx has ended.
		return nil, err
	}
	return results, nil
}

// recorder enters one batch within one transaction.
type recorder struct {
	*tables

	bookRows    cache[storagev1.BookRow, *storagev1.BookRow]
	userRows    cache[storagev1.UserRow, *storagev1.UserRow]
	accountRows cache[storagev1.AccountRow, *storagev1.AccountRow]
}

func newRecorder(t *tables) *recorder {
	return &recorder{
		tables:      t,
		bookRows:    newCache[storagev1.BookRow](t.books),
		userRows:    newCache[storagev1.UserRow](t.users),
		accountRows: newCache[storagev1.AccountRow](t.accounts),
	}
}

func (r *recorder) batch(b directory.Batch) ([]directory.Result, error) {
	results := make([]directory.Result, len(b.Calls))
	for i := range b.Calls {
		var err error
		if results[i], err = r.call(&b.Calls[i]); err != nil {
			return nil, err
		}
	}
	for i := range b.Rejections {
		if err := r.rejection(&b.Rejections[i]); err != nil {
			return nil, err
		}
	}
	for _, flush := range []func() error{r.bookRows.flush, r.userRows.flush, r.accountRows.flush} {
		if err := flush(); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// call enters one call into ledger and books and, if it is new, applies it.
func (r *recorder) call(c *call.Call) (directory.Result, error) {
	key := packid.Append(keys.AppendTime(nil, c.OriginalMS), c.MessageID)
	row := &storagev1.LedgerRow{CorrectionMs: c.TimeMS - c.OriginalMS, Fingerprint: c.Fingerprint(), Source: c.Source}
	sealed := r.ledger.Get(key)
	if sealed != nil {
		first := &storagev1.LedgerRow{}
		if err := record.Unmarshal(key, sealed, first); err != nil {
			return directory.Result{}, err
		}
		return r.copy(c, key, row, first)
	}
	book, err := r.book(c.Source, c.Type.String())
	if err != nil {
		return directory.Result{}, err
	}
	book.Accepted++
	if err := put(r.ledger, key, row); err != nil {
		return directory.Result{}, err
	}
	return directory.Result{Outcome: call.Accepted, TimeMS: c.TimeMS}, r.apply(c)
}

// copy enters a call whose identity is in the ledger: another copy of the first call, or another call that wrongly has its identity.
func (r *recorder) copy(c *call.Call, key []byte, row, first *storagev1.LedgerRow) (directory.Result, error) {
	result := directory.Result{Outcome: call.Duplicate, TimeMS: c.OriginalMS + first.GetCorrectionMs()}
	if first.GetFingerprint() != row.GetFingerprint() {
		result.Outcome = call.Conflict
	}
	copies, err := r.book(c.Source, c.Type.String())
	if err != nil {
		return result, err
	}
	if result.Outcome == call.Duplicate && c.Source < first.GetSource() {
		// Whichever came first, it is accepted for the source whose name does.
		counted, err := r.book(first.GetSource(), c.Type.String())
		if err != nil {
			return result, err
		}
		counted.Accepted--
		copies.Accepted++
		copies, first.Source = counted, c.Source
		if err := put(r.ledger, key, first); err != nil {
			return result, err
		}
	}
	copies.Duplicate++
	return result, nil
}

func (r *recorder) rejection(rejected *directory.Rejection) error {
	book, err := r.book(rejected.Source, rejected.Type)
	if err != nil {
		return err
	}
	// With the source in the key, what the books of one source say does not depend on which of two sources was first.
	key := append(rejected.Fingerprint[:], rejected.Source...)
	if sealed := r.rejections.Get(key); sealed != nil {
		book.Duplicate++
		return record.Unmarshal(key, sealed, &storagev1.RejectionRow{})
	}
	if book.Rejected == nil {
		book.Rejected = map[string]int64{}
	}
	book.Rejected[rejected.Code]++
	return put(r.rejections, key, &storagev1.RejectionRow{Code: rejected.Code})
}

func (r *recorder) book(source, kind string) (*storagev1.BookRow, error) {
	return r.bookRows.row(keys.AppendString(keys.AppendString(nil, source), kind))
}
