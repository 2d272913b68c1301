package events

import (
	"context"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/services/events/internal/bolt"
)

// Compact writes the data of a service that is stopped anew, as small as can be and without anything that was deleted. The old file stays
// until the new one is whole.
func Compact(_ context.Context, c Config) error { return bolt.Compact(boltdb.Options{Path: c.path()}) }
