package bolt

import (
	"context"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/packid"
	"github.com/sojournhq/sojourn/internal/kit/record"
	storagev1 "github.com/sojournhq/sojourn/proto/sojourn/identity/storage/v1"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
)

// Record implements directory.Store.
func (s *Store) Record(ctx context.Context, workspace string, b directory.Batch) (directory.Recorded, error) {
	if err := s.db.Room(); err != nil {
		return directory.Recorded{}, err
	}
	c, err := s.check(ctx, workspace, &b)
	if err != nil {
		return directory.Recorded{}, err
	}
	return s.record(ctx, workspace, &b, c)
}

func (s *Store) record(ctx context.Context, workspace string, b *directory.Batch, c checked) (directory.Recorded, error) {
	return boltdb.Do(ctx, s.db, func(tx *boltdb.Tx) (directory.Recorded, error) {
		t, err := writable(tx, workspace)
		if err != nil {
			return directory.Recorded{}, err
		}
		return newRecorder(t).batch(b, c)
	})
}

// recorder enters one batch within one transaction.
type recorder struct {
	*tables

	bookRows    cache[storagev1.BookRow, *storagev1.BookRow]
	userRows    cache[storagev1.UserRow, *storagev1.UserRow]
	accountRows cache[storagev1.AccountRow, *storagev1.AccountRow]
	deleted     []string // users that calls of the batch delete
}

func newRecorder(t *tables) *recorder {
	return &recorder{
		tables:      t,
		bookRows:    newCache[storagev1.BookRow](t.books),
		userRows:    newCache[storagev1.UserRow](t.users),
		accountRows: newCache[storagev1.AccountRow](t.accounts),
	}
}

func (r *recorder) batch(b *directory.Batch, c checked) (out directory.Recorded, err error) {
	out = directory.Recorded{Results: make([]directory.Result, len(b.Calls)), Repeated: make([]bool, len(b.Rejections))}
	for i := range b.Calls {
		if out.Results[i], err = r.call(&b.Calls[i]); err != nil {
			return out, err
		}
	}
	for i := range b.Rejections {
		if out.Repeated[i], err = r.rejection(&b.Rejections[i]); err != nil {
			return out, err
		}
	}
	forget := func() error {
		_, err := r.kept.forget(r.gone, r.deleted...)
		return err
	}
	keep := func() error { return r.keep(b, c) }
	for _, finish := range []func() error{keep, forget, r.bookRows.flush, r.userRows.flush, r.accountRows.flush} {
		if err := finish(); err != nil {
			return out, err
		}
	}
	return out, nil
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
	if result.Outcome == call.Duplicate && c.Source < first.GetSource() && !first.GetRefused() {
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

func (r *recorder) book(source, kind string) (*storagev1.BookRow, error) {
	return r.bookRows.row(keys.AppendString(keys.AppendString(nil, source), kind))
}
