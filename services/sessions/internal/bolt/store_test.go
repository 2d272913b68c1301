package bolt_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/services/sessions/internal/bolt"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
	"github.com/sojournhq/sojourn/services/sessions/internal/storetest"
)

func TestBoltIsAStore(t *testing.T) {
	storetest.Run(t, storetest.Driver{Open: open, Verify: verify})
}

func open(dir string, rules func(string) session.Rules) (session.Store, error) {
	return bolt.Open(boltdb.Options{Path: filepath.Join(dir, "sessions.db")}, rules)
}

// verify returns what is wrong with a store.
func verify(dir string) (problems []string, err error) {
	store, err := bolt.Open(boltdb.Options{Path: filepath.Join(dir, "sessions.db"), ReadOnly: true}, defaults)
	if err != nil {
		return nil, err
	}
	err = store.Verify(context.Background(), func(workspace, table, what string) {
		problems = append(problems, fmt.Sprintf("%s of %q: %s", table, workspace, what))
	})
	return problems, errors.Join(err, store.Close())
}

func defaults(string) session.Rules { return session.DefaultRules() }
