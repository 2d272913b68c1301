package bolt_test

import (
	"path/filepath"
	"testing"

	"github.com/sojournhq/sojourn/services/identity/internal/bolt"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
	"github.com/sojournhq/sojourn/services/identity/internal/storetest"
)

func TestBoltIsAStore(t *testing.T) {
	storetest.Run(t, func(dir string) (directory.Store, error) {
		return bolt.Open(filepath.Join(dir, "identity.db"), func(err error) { t.Error(err) })
	})
}
