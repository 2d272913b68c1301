package bolt

import (
	"context"

	"github.com/sojournhq/sojourn/services/identity/internal/directory"
)

// RecordBehind is Record with something that happens between the look at its rejections and its transaction.
func (s *Store) RecordBehind(ctx context.Context, workspace string, b directory.Batch, happens func()) error {
	c, err := s.check(ctx, workspace, &b)
	if err != nil {
		return err
	}
	happens()
	_, err = s.record(ctx, workspace, &b, c)
	return err
}
