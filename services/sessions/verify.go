package sessions

import (
	"context"
	"path/filepath"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/soundness"
	"github.com/sojournhq/sojourn/services/sessions/internal/bolt"
)

// Verify examines the data of a service that is stopped, without changing it, and tells found of everything that is not sound: structure,
// checksums, names and links that do not hold both ways, sessions that are not what their points make them, indexes and daily sums that are
// not those of the sessions, timers that are missing, gaps in the feed. The error is for what kept it from looking.
func Verify(ctx context.Context, c Config, found func(soundness.Problem)) error {
	return bolt.Verify(ctx, boltdb.Options{Path: filepath.Join(c.Dir, File)}, found)
}
