package events

import (
	"context"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/soundness"
	"github.com/sojournhq/sojourn/services/events/internal/bolt"
)

// Verify examines the data of a service that is stopped, without changing it, and tells found of everything that is not sound: structure,
// checksums, names and links that do not hold both ways, sums that are not those of the events they count. The error is for what kept it
// from looking.
func Verify(ctx context.Context, c Config, found func(soundness.Problem)) error {
	return bolt.Verify(ctx, boltdb.Options{Path: c.path()}, found)
}
