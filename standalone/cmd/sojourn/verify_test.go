package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bbolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/services/events"
	"github.com/sojournhq/sojourn/services/identity"
	"github.com/sojournhq/sojourn/services/sessions"
	"github.com/sojournhq/sojourn/standalone"
)

func TestVerifyNamesTheFileThatIsNotSound(t *testing.T) {
	dir := t.TempDir()
	suite, err := standalone.Open(t.Context(), standalone.Config{Dir: dir}, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	if err := suite.Close(); err != nil {
		t.Fatal(err)
	}
	check := func(code int, says string) {
		t.Helper()
		var out bytes.Buffer
		if got := run(t.Context(), []string{"verify", "-data", dir}, &out, &out); got != code || !strings.Contains(out.String(), says) {
			t.Errorf("exit code %d, want %d; it said %q, want %q", got, code, out.String(), says)
		}
	}
	check(0, "identity.db: sound\nevents.db: sound\nsessions.db: sound\n")
	db, err := bbolt.Open(filepath.Join(dir, identity.File), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		all, err := tx.CreateBucketIfNotExists([]byte("workspaces"))
		if err == nil {
			_, err = all.CreateBucket([]byte("w"))
		}
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	check(1, "identity.db: workspaces/w/ledger: there is no such table\nidentity.db: 1 problems\nevents.db: sound\n")
	if err := os.Truncate(filepath.Join(dir, sessions.File), 100); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, events.File)); err != nil {
		t.Fatal(err)
	}
	check(1, "of 3 files 1 are not sound, and 2 could not be examined")
}
