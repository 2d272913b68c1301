package identity_test

import (
	"bytes"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/boltdb/boltdbtest"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/internal/kit/soundness"
	storagev1 "github.com/sojournhq/sojourn/proto/sojourn/identity/storage/v1"
	"github.com/sojournhq/sojourn/services/identity"
)

func verify(t *testing.T, dir string) (problems []string) {
	t.Helper()
	err := identity.Verify(t.Context(), identity.Config{Dir: dir}, func(p soundness.Problem) { problems = append(problems, p.String()) })
	if err != nil {
		t.Fatal(err)
	}
	return problems
}

func TestWhateverIsDamagedIsNamed(t *testing.T) {
	flip := func(table string) func(*boltdb.Bucket) error {
		return func(w *boltdb.Bucket) error {
			key, value := w.Bucket([]byte(table)).Cursor().First()
			broken := bytes.Clone(value)
			broken[0] ^= 1
			return w.Bucket([]byte(table)).Put(bytes.Clone(key), broken)
		}
	}
	for name, c := range map[string]struct {
		damage func(*boltdb.Bucket) error
		names  string
	}{
		"a row of the ledger": {flip("ledger"), "workspaces/w/ledger: "},
		"a row of the books":  {flip("books"), "workspaces/w/books: "},
		"a link":              {flip("links"), "workspaces/w/links: "},
		"a rejection":         {flip("rejections"), "workspaces/w/rejections: "},
		"a kept rejection":    {flip("kept"), "workspaces/w/kept: "},
		"a rejection that is missing": {func(w *boltdb.Bucket) error {
			key, _ := w.Bucket([]byte("rejections")).Cursor().First()
			return w.Bucket([]byte("rejections")).Delete(bytes.Clone(key))
		}, `books: source "web" has 1 more rejected calls than ledger and rejections`},
		"a kept rejection that is none": {func(w *boltdb.Bucket) error {
			key, _ := w.Bucket([]byte("rejections")).Cursor().First() // that of "0000000000000001"
			return w.Bucket([]byte("rejections")).Delete(bytes.Clone(key))
		}, "kept: 0000000000000002: there is no such rejection"},
		"a rejection that is kept twice": {func(w *boltdb.Bucket) error {
			key, sealed := w.Bucket([]byte("kept")).Cursor().First()
			value, err := record.Open(key, sealed)
			if err != nil {
				return err
			}
			twice := []byte{0, 0, 0, 0, 0, 0, 0, 3}
			return w.Bucket([]byte("kept")).Put(twice, record.Seal(twice, bytes.Clone(value)))
		}, "kept: 0000000000000003: its rejection is kept as number 1\nworkspaces/w/kept: 0000000000000003: the last number is 2"},
		"a user":     {flip("users"), "workspaces/w/users: "},
		"an account": {flip("accounts"), "workspaces/w/accounts: "},
		"a call that is missing": {func(w *boltdb.Bucket) error {
			key, _ := w.Bucket([]byte("ledger")).Cursor().First()
			return w.Bucket([]byte("ledger")).Delete(bytes.Clone(key))
		}, `workspaces/w/books: source "web" has 1 more accepted calls than the ledger`},
		"books that are missing": {func(w *boltdb.Bucket) error {
			key, _ := w.Bucket([]byte("books")).Cursor().Last()
			return w.Bucket([]byte("books")).Delete(bytes.Clone(key))
		}, `workspaces/w/books: source "web" has -`},
		"a count below zero": {func(w *boltdb.Bucket) error {
			key, _ := w.Bucket([]byte("books")).Cursor().Last()
			sealed, err := record.Marshal(key, &storagev1.BookRow{Accepted: 4, Filtered: -1})
			if err != nil {
				return err
			}
			return w.Bucket([]byte("books")).Put(bytes.Clone(key), sealed)
		}, "a count is below zero"},
		"books under no key": {func(w *boltdb.Bucket) error {
			return w.Bucket([]byte("books")).Put([]byte("?"), record.Seal([]byte("?"), nil))
		}, "no row of the books"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			client, stop := serve(t, open(t, dir, settings()))
			client.record(story()...)
			client.reject(0, rejection(1, "c", "{}"))
			stop()
			if problems := verify(t, dir); len(problems) > 0 {
				t.Fatalf("found %q in what is sound", problems)
			}
			path := filepath.Join(dir, identity.File)
			boltdbtest.Change(t, path, func(tx *boltdb.Tx) error { return c.damage(tx.Bucket([]byte("workspaces")).Bucket([]byte("w"))) })
			if problems := strings.Join(verify(t, dir), "\n"); !strings.Contains(problems, c.names) {
				t.Errorf("found %q, want %q", problems, c.names)
			}
			boltdbtest.DeleteBucket(t, path, "workspaces", "w", "users")
			if problems := strings.Join(verify(t, dir), "\n"); !strings.Contains(problems, "workspaces/w/users: there is no such table") {
				t.Errorf("found %q, when the table was gone", problems)
			}
		})
	}
	err := identity.Verify(t.Context(), identity.Config{Dir: t.TempDir()}, func(p soundness.Problem) { t.Error(p) })
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
