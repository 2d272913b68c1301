package identity

import (
	"context"
	"path/filepath"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/soundness"
	"github.com/sojournhq/sojourn/services/identity/internal/bolt"
)

// File is the name of the service's data file.
const File = "identity.db"

// Verify examines the data of a service that is stopped, without changing it, and tells found of everything that is not sound: structure,
// checksums, links that do not hold both ways, books that are not those of the ledger. The error is for what kept it from looking.
func Verify(ctx context.Context, c Config, found func(soundness.Problem)) error {
	return bolt.Verify(ctx, boltdb.Options{Path: filepath.Join(c.Dir, File)}, found)
}
