package identity

import (
	"path/filepath"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/services/identity/internal/bolt"
)

// Data says what the service's data file in a directory is, for those who copy and restore it.
func Data(dir string) boltdb.Options {
	return bolt.Mark(boltdb.Options{Path: filepath.Join(dir, File)})
}
