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

func open(dir string, rules func(string) session.Rules) (session.Store, error) {
	return bolt.Open(boltdb.Options{Path: filepath.Join(dir, "sessions.db")}, rules)
}

// verify returns what is wrong with a store.
func verify(dir string) (problems []string, err error) {
	err = bolt.Verify(context.Background(), boltdb.Options{Path: filepath.Join(dir, "sessions.db")}, func(p soundness.Problem) {
		problems = append(problems, p.String())
	})
	return problems, err
}

func defaults(string) session.Rules { return session.DefaultRules() }
