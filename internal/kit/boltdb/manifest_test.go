package boltdb_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
)

// filled makes a file with a key in it, and returns its options.
func filled(t *testing.T, dir, key string) boltdb.Options {
	t.Helper()
	o := boltdb.Options{Path: filepath.Join(dir, "x.db"), Kind: "test", Format: 1}
	db := open(t, o.Path)
	if err := db.Update(t.Context(), put(key)); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return o
}

// named returns the uuids that the manifest of a directory has.
func named(t *testing.T, dir string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "stores.json"))
	var m struct {
		Stores map[string]struct{ UUID string }
	}
	if err := errors.Join(err, json.Unmarshal(text, &m)); err != nil {
		t.Fatal(err)
	}
	uuids := map[string]string{}
	for name, e := range m.Stores {
		uuids[name] = e.UUID
	}
	return uuids
}

func TestAFileThatTheManifestNamesIsNeverMadeAnew(t *testing.T) {
	for name, c := range map[string]struct {
		lose func(path string) error
		want error
	}{
		"removed": {os.Remove, boltdb.ErrMissing},
		"emptied": {func(path string) error { return os.Truncate(path, 0) }, boltdb.ErrMissing},
		"swapped": {func(path string) error {
			return os.Rename(filled(t, t.TempDir(), "other").Path, path)
		}, boltdb.ErrSwapped},
	} {
		o := filled(t, t.TempDir(), "a")
		if err := c.lose(o.Path); err != nil {
			t.Fatal(err)
		}
		before, _ := os.ReadFile(o.Path)
		for _, readOnly := range []bool{false, true} {
			o.ReadOnly = readOnly
			_, err := boltdb.Open(o)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), "stores.json") || !strings.Contains(err.Error(), "restore") {
				t.Errorf("%s: %v, want %v and what to do", name, err, c.want)
			}
		}
		if after, _ := os.ReadFile(o.Path); string(after) != string(before) {
			t.Errorf("%s: the file was changed", name)
		}
		o.ReadOnly = false
		if err := os.Remove(filepath.Join(filepath.Dir(o.Path), "stores.json")); err != nil {
			t.Fatal(err)
		}
		db, err := boltdb.Open(o)
		if err == nil {
			err = db.Close()
		}
		if empty := name == "emptied"; errors.Is(err, boltdb.ErrMissing) != empty || !empty && err != nil {
			t.Errorf("%s, and its entry removed on purpose: %v", name, err)
		}
	}
}

func TestADirectoryFromBeforeTheManifestIsTakenAsItIs(t *testing.T) {
	o := filled(t, t.TempDir(), "a")
	raw, err := bolt.Open(o.Path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = raw.Update(func(tx *bolt.Tx) error { return tx.Bucket([]byte("meta")).Delete([]byte("uuid")) })
	if err := errors.Join(err, raw.Close(), os.Remove(filepath.Join(filepath.Dir(o.Path), "stores.json"))); err != nil {
		t.Fatal(err)
	}
	reading := o
	reading.ReadOnly = true
	db, err := boltdb.Open(reading)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(o.Path), "stores.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("reading made a manifest")
	}
	if got := count(t, open(t, o.Path)); got != 1 {
		t.Errorf("%d keys", got)
	}
	if got := named(t, filepath.Dir(o.Path))["x.db"]; len(got) != 36 {
		t.Errorf("the manifest has %q", got)
	}
}

func TestManyProcessesMakeTheirFilesInOneDirectory(t *testing.T) {
	dir := t.TempDir()
	var group sync.WaitGroup
	for _, name := range []string{"a.db", "b.db", "c.db", "d.db", "e.db", "f.db"} {
		group.Go(func() { open(t, filepath.Join(dir, name)) })
	}
	group.Wait()
	if got := named(t, dir); len(got) != 6 {
		t.Errorf("the manifest has %v", got)
	}
}

func TestTheFirstStartThatWasCutOffIsBegunAgain(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x.db.new"), []byte("half a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	filled(t, dir, "a")
	// The file has its name, and the manifest does not have it yet.
	if err := os.Remove(filepath.Join(dir, "stores.json")); err != nil {
		t.Fatal(err)
	}
	if got := count(t, open(t, filepath.Join(dir, "x.db"))); got != 1 {
		t.Errorf("%d keys", got)
	}
}

func TestAManifestThatCannotBeReadIsRefused(t *testing.T) {
	o := filled(t, t.TempDir(), "a")
	for text, want := range map[string]error{
		`{"format":1,"stores":`: boltdb.ErrDamaged, `[]`: boltdb.ErrDamaged, `{"format":2,"stores":{}}`: boltdb.ErrFormat,
	} {
		if err := os.WriteFile(filepath.Join(filepath.Dir(o.Path), "stores.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := boltdb.Open(o); !errors.Is(err, want) || !strings.Contains(err.Error(), "stores.json") {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
}

func TestAnInstalledFileIsTakenForTheOneThatWasThere(t *testing.T) {
	o, other := filled(t, t.TempDir(), "a"), filled(t, t.TempDir(), "b")
	dir := filepath.Dir(o.Path)
	before := named(t, dir)["x.db"]
	from := filepath.Join(dir, ".restore-1")
	log := o.Path + ".log-7"
	if err := errors.Join(os.Rename(other.Path, from), os.WriteFile(log, []byte("of the old one"), 0o600)); err != nil {
		t.Fatal(err)
	}
	r := restoring(t, o)
	if err := errors.Join(r.Install(o, from), r.Close()); err != nil {
		t.Fatal(err)
	}
	if got := count(t, open(t, o.Path)); got != 1 {
		t.Errorf("%d keys", got)
	}
	after, theirs := named(t, dir)["x.db"], named(t, filepath.Dir(other.Path))["x.db"]
	if after == before || after == theirs {
		t.Error("the installed file has a uuid that was in use")
	}
	if _, err := os.Stat(log); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the log of the old file is there still")
	}
}

// namesPage finds what a damaged beginning is called; where the meta page that counts is lost, what the other says of the log is not so.
var namesPage = regexp.MustCompile(`page \d|log-\d+ is missing`)

func TestADamagedBeginningIsAnErrorThatNamesThePage(t *testing.T) {
	o := filled(t, t.TempDir(), "a")
	sound, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	size := os.Getpagesize()
	for at := 0; at < len(sound); at += size {
		file := append([]byte(nil), sound...)
		if clear(file[at : at+size]); bytes.Equal(file, sound) {
			continue
		}
		if err := os.WriteFile(o.Path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := boltdb.Open(o)
		if err == nil { // a free page, or the meta page that does not count
			err = db.Close()
		} else if !errors.Is(err, boltdb.ErrDamaged) || !namesPage.MatchString(err.Error()) || !strings.Contains(err.Error(), o.Path) {
			t.Errorf("page %d zeroed: %v", at/size, err)
			continue
		}
		if err != nil {
			t.Logf("page %d zeroed: %v", at/size, err)
		}
	}
}
