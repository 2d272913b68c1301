package bolt

import (
	"context"

	"github.com/sojournhq/sojourn/internal/domain/attribution/boltlinks"
	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/deletion"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/packid"
	storagev1 "github.com/sojournhq/sojourn/proto/sojourn/identity/storage/v1"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
)

// Record implements directory.Store.
func (s *Store) Record(ctx context.Context, workspace string, b directory.Batch) (directory.Recorded, error) {
	if err := s.hasRoom(&b); err != nil {
		return directory.Recorded{}, err
	}
	c, err := s.check(ctx, workspace, &b)
	if err != nil {
		return directory.Recorded{}, err
	}
	return s.record(ctx, workspace, &b, c)
}

// hasRoom returns boltdb.ErrFull unless there is room for a batch. Rejections are kept and filtered calls counted, so what has some adds to
// the data.
func (s *Store) hasRoom(b *directory.Batch) error {
	if len(b.Rejections)+len(b.Filtered) > 0 {
		return s.db.Room()
	}
	return deletion.Room(s.db, b.Calls)
}

func (s *Store) record(ctx context.Context, workspace string, b *directory.Batch, c checked) (directory.Recorded, error) {
	return boltdb.Do(ctx, s.db, func(tx *boltdb.Tx) (directory.Recorded, error) {
		t, err := writable(tx, workspace)
		if err != nil {
			return directory.Recorded{}, err
		}
		r, err := newRecorder(t)
		if err != nil {
			return directory.Recorded{}, err
		}
		return r.batch(b, c)
	})
}

// recorder enters one batch within one transaction.
type recorder struct {
	*tables

	bookRows    books
	userRows    *profiles[directory.UserKey]
	accountRows *profiles[string]
	learner     *boltlinks.Learner
	deleted     *deletion.Reader
	deletes     []string // users that calls of the batch delete

	// Room for one row, and for the values of many.
	key, value []byte
}

func newRecorder(t *tables) (*recorder, error) {
	r := &recorder{
		tables:   t,
		bookRows: books{table: t.books, rows: map[book]*storagev1.BookRow{}},
		userRows: newUsers(t.users), accountRows: newAccounts(t.accounts),
	}
	return r, r.readDeleted()
}

// readDeleted takes in who is deleted by now.
func (r *recorder) readDeleted() (err error) {
	if r.deleted, err = r.gone.Reader(); err == nil {
		r.learner = r.links.Learner(r.deleted)
	}
	return err
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
	for i := range b.Filtered {
		if err := r.filtered(&b.Filtered[i]); err != nil {
			return out, err
		}
	}
	forget := func() error {
		_, err := r.kept.forget(r.gone, r.deletes...)
		return err
	}
	keep := func() error { return r.keep(b, c) }
	for _, finish := range []func() error{keep, forget, r.bookRows.flush, r.learner.Store, r.userRows.flush, r.accountRows.flush} {
		if err := finish(); err != nil {
			return out, err
		}
	}
	return out, nil
}

// call enters one call into ledger and books and, if it is new, applies it.
func (r *recorder) call(c *call.Call) (directory.Result, error) {
	r.key = packid.Append(keys.AppendTime(r.key[:0], c.OriginalMS), c.MessageID)
	if sealed := r.ledger.Get(r.key); sealed != nil {
		first, err := readLedger(r.key, sealed)
		if err != nil {
			return directory.Result{}, err
		}
		return r.copy(c, r.key, &first)
	}
	book, err := r.book(c.Source, c.Type.String())
	if err != nil {
		return directory.Result{}, err
	}
	book.Accepted++
	row := ledgerRow{correctionMS: c.TimeMS - c.OriginalMS, source: c.Source}
	row.fingerprint, r.value = c.FingerprintIn(r.value)
	if err := r.putLedger(r.key, &row); err != nil {
		return directory.Result{}, err
	}
	return directory.Result{Outcome: call.Accepted, TimeMS: c.TimeMS}, r.apply(c)
}

// copy enters a call whose identity is in the ledger: another copy of the first call, or another call that wrongly has its identity.
func (r *recorder) copy(c *call.Call, key []byte, first *ledgerRow) (directory.Result, error) {
	result := directory.Result{Outcome: call.Duplicate, TimeMS: c.OriginalMS + first.correctionMS}
	if first.fingerprint != c.Fingerprint() {
		result.Outcome = call.Conflict
	}
	copies, err := r.book(c.Source, c.Type.String())
	if err != nil {
		return result, err
	}
	if result.Outcome == call.Duplicate && c.Source < first.source && !first.refused {
		// Whichever came first, it is accepted for the source whose name does.
		counted, err := r.book(first.source, c.Type.String())
		if err != nil {
			return result, err
		}
		counted.Accepted--
		copies.Accepted++
		copies, first.source = counted, c.Source
		if err := r.putLedger(key, first); err != nil {
			return result, err
		}
	}
	copies.Duplicate++
	return result, nil
}

// filtered counts a filtered call, and keeps nothing of it.
func (r *recorder) filtered(f *directory.Filtered) error {
	counted, err := r.book(f.Source, f.Type)
	if err == nil {
		counted.Filtered++
	}
	return err
}

func (r *recorder) book(source, kind string) (*storagev1.BookRow, error) {
	return r.bookRows.row(book{source, kind})
}
