package bolt

import (
	"context"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/deletion"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
	"github.com/sojournhq/sojourn/services/identity/internal/mention"
)

// checked says which rejections of a batch are not to be kept, as the tombstones were. It takes long to find out, because every word of a
// body has to be hashed; so that is done before the transaction that all others wait for.
type checked struct {
	generation uint64 // of the tombstones
	forgotten  []bool // for each rejection
}

// check looks at the rejections of a batch that may be kept.
func (s *Store) check(ctx context.Context, workspace string, b *directory.Batch) (c checked, err error) {
	if len(b.Rejections) == 0 {
		return checked{}, nil
	}
	c.forgotten = make([]bool, len(b.Rejections))
	err = s.view(ctx, workspace, func(t *tables) (err error) {
		c, err = t.check(b)
		return err
	})
	return c, err
}

func (t *tables) check(b *directory.Batch) (checked, error) {
	c := checked{generation: t.gone.Generation(), forgotten: make([]bool, len(b.Rejections))}
	gone, err := t.gone.Reader()
	if err != nil {
		return c, err
	}
	for i := firstKept(b); i < len(b.Rejections); i++ {
		if c.forgotten[i], err = forgotten(gone, &b.Rejections[i]); err != nil {
			return c, err
		}
	}
	return c, nil
}

// firstKept returns the first rejection that those behind it do not push out at once.
func firstKept(b *directory.Batch) int { return max(0, len(b.Rejections)-directory.MaxKept) }

// forgotten says whether a rejection names a user who is deleted at its time. A time that cannot be read is before every deletion.
func forgotten(gone *deletion.Reader, r *directory.Rejection) (bool, error) {
	if gone.None() {
		return false, nil
	}
	for _, id := range []string{r.UserID, r.MessageID} {
		if covered, err := gone.Covers(id, r.TimeMS); err != nil || covered {
			return covered, err
		}
	}
	for name := range mention.Names(r.Body, call.MaxName) {
		if covered, err := gone.Covers(name, r.TimeMS); err != nil || covered {
			return covered, err
		}
	}
	return false, nil
}
