package bolt_test

import (
	"path/filepath"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/services/sessions/internal/bolt"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
	"github.com/sojournhq/sojourn/services/sessions/internal/storetest"
)

func TestBoltIsAStore(t *testing.T) {
	storetest.Run(t, func(dir string) (session.Store, error) {
		return bolt.Open(boltdb.Options{
			Path: filepath.Join(dir, "sessions.db"), OnFail: func(err error) { t.Error(err) },
		}, session.DefaultRules())
	})
}
