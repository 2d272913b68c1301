package bolt_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/soundness"
	"github.com/sojournhq/sojourn/services/sessions/internal/bolt"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
	"github.com/sojournhq/sojourn/services/sessions/internal/storetest"
)

func TestBoltIsAStore(t *testing.T) {
	storetest.Run(t, driver)
}

// open opens a store that rebuilds in small steps.
func open(dir string, rules func(string) session.Rules) (session.Store, error) {
	store, err := bolt.Open(boltdb.Options{Path: filepath.Join(dir, "sessions.db")}, rules)
	if err == nil {
		store.SetRebuildStep(3)
	}
	return store, err
}

// verify returns what is wrong with a store.
func verify(dir string) (problems []string, err error) {
	err = bolt.Verify(context.Background(), boltdb.Options{Path: filepath.Join(dir, "sessions.db")}, func(p soundness.Problem) {
		problems = append(problems, p.String())
	})
	return problems, err
}

func defaults(string) session.Rules { return session.DefaultRules() }
