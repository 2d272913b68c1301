package boltdb_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
)

// restoring begins a restore of a data file, which the test ends.
func restoring(t *testing.T, o boltdb.Options) *boltdb.Restoring {
	t.Helper()
	r, err := boltdb.Restore(filepath.Dir(o.Path), []boltdb.Options{o}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// ways are those that a file is opened in.
func ways(o boltdb.Options) map[string]boltdb.Options {
	reading := o
	reading.ReadOnly = true
	return map[string]boltdb.Options{"for writing": o, "for reading": reading}
}

func TestWhileARestoreHasNotFinishedNoFileOfTheDirectoryIsOpenedOrMade(t *testing.T) {
	for _, known := range []bool{true, false} {
		o := filled(t, t.TempDir(), "a")
		dir := filepath.Dir(o.Path)
		other := o
		other.Path = filepath.Join(dir, "y.db") // never made
		r := restoring(t, o)
		if err := errors.Join(r.Mark(boltdb.Mark{From: "/backups/one", Placing: true, Files: []string{"x.db"}}), r.Close()); err != nil {
			t.Fatal(err)
		}
		says := []string{"x.db in " + dir, "run it again", "sojourn restore -from /backups/one -data " + dir}
		if !known {
			says = []string{"restore all of them"}
			if err := os.WriteFile(filepath.Join(dir, "restoring.json"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, of := range []boltdb.Options{o, other} {
			for way, o := range ways(of) {
				_, err := boltdb.Open(o)
				for _, want := range says {
					if !errors.Is(err, boltdb.ErrRestoring) || !strings.Contains(err.Error(), want) {
						t.Errorf("%s %s: %v, want %q", o.Path, way, err, want)
					}
				}
			}
		}
		if err := boltdb.CopyStopped(t.Context(), o, nil, nil); !errors.Is(err, boltdb.ErrRestoring) {
			t.Errorf("copied: %v", err)
		}
		if err := boltdb.Compact(o, nil); !errors.Is(err, boltdb.ErrRestoring) {
			t.Errorf("compacted: %v", err)
		}
		if _, err := os.Stat(other.Path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a file was made: %v", err)
		}
		again := restoring(t, o)
		if m, unfinished := again.Before(); !unfinished || known && (m == nil || m.From != "/backups/one") || !known && m != nil {
			t.Errorf("of the restore before it is known: %+v, %v", m, unfinished)
		}
		if err := errors.Join(again.Finish(), again.Close()); err != nil {
			t.Fatal(err)
		}
		if got := count(t, open(t, o.Path)); got != 1 {
			t.Errorf("%d keys", got)
		}
	}
}

func TestARestoreAndWhoeverUsesAFileOrRestoresItKeepEachOtherOut(t *testing.T) {
	o := filled(t, t.TempDir(), "a")
	dir := filepath.Dir(o.Path)
	for way, o := range ways(o) {
		db, err := boltdb.Open(o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := boltdb.Restore(dir, []boltdb.Options{o}, nil); !errors.Is(err, boltdb.ErrLocked) || !strings.Contains(err.Error(), "x.db") {
			t.Errorf("beside one that is open %s: %v", way, err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	r := restoring(t, o)
	defer func() { _ = r.Close() }()
	if _, err := boltdb.Restore(dir, []boltdb.Options{o}, nil); !errors.Is(err, boltdb.ErrLocked) {
		t.Errorf("two at once: %v", err)
	}
	reading := o
	reading.ReadOnly = true
	if _, err := boltdb.Open(reading); !errors.Is(err, boltdb.ErrLocked) {
		t.Errorf("read beside a restore: %v", err)
	}
}

// TestAFileThatWasAboutToBeOpenedIsNotOnceARestoreHasBegun has the mark come after the directory was found without one.
func TestAFileThatWasAboutToBeOpenedIsNotOnceARestoreHasBegun(t *testing.T) {
	for way, o := range ways(filled(t, t.TempDir(), "a")) {
		mark := filepath.Join(filepath.Dir(o.Path), "restoring.json")
		err := boltdb.OpenAfter(o, func() error { return os.WriteFile(mark, nil, 0o600) })
		if !errors.Is(err, boltdb.ErrRestoring) {
			t.Errorf("%s: %v", way, err)
		}
		if err := os.Remove(mark); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatCrashesLeftIsRemovedAtTheNextStartAndNothingElseIs(t *testing.T) {
	o := filled(t, t.TempDir(), "a")
	dir := filepath.Dir(o.Path)
	ours := []string{
		".restore-1", ".copy-22", ".new-333", ".copy-x.db-4", ".new-stores.json-5", ".new-restoring.json-6",
		"stores.json.new", "x.db.new", "x.db.compact", "x.db.compacting", "x.db.packed",
	}
	theirs := []string{
		".restore-", ".restore-a1", ".restored-1", ".copy-y.db-1", ".new-notes-1", "copy-1", ".copy-1.txt", "y.db.new", ".new-x.db-y",
	}
	for _, name := range slices.Concat(ours, theirs) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, ".copy-7"), 0o700); err != nil {
		t.Fatal(err)
	}
	theirs = append(theirs, ".copy-7")
	reading := o
	reading.ReadOnly = true
	db, err := boltdb.Open(reading)
	if err != nil {
		t.Fatal(err)
	}
	left := beside(t, o.Path)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Concat(ours, theirs) {
		if !slices.Contains(left, name) {
			t.Errorf("%s was removed by reading", name)
		}
	}
	open(t, o.Path)
	left = beside(t, o.Path)
	for _, name := range ours {
		if slices.Contains(left, name) {
			t.Errorf("%s is there still", name)
		}
	}
	for _, name := range theirs {
		if !slices.Contains(left, name) {
			t.Errorf("%s is gone", name)
		}
	}
}

// TestNothingIsWrittenThroughALink puts links in the place of every file that is written under another name than its own.
func TestNothingIsWrittenThroughALink(t *testing.T) {
	for _, there := range []bool{true, false} {
		dir := t.TempDir()
		o := boltdb.Options{Path: filepath.Join(dir, "x.db"), Kind: "test", Format: 1}
		if there {
			o = filled(t, dir, "a")
		}
		victim := filepath.Join(t.TempDir(), "victim")
		if err := os.WriteFile(victim, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		links := []string{"stores.json.new", "x.db.new", "x.db.compact", "x.db.compacting", "x.db.packed"}
		link := func() {
			for _, name := range links {
				_ = os.Remove(filepath.Join(dir, name))
				if err := os.Symlink(victim, filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
		}
		link()
		db := open(t, o.Path)
		link()
		if _, err := db.Compact(t.Context(), 0); err != nil {
			t.Error(err)
		}
		link()
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if err := boltdb.Compact(o, func(*boltdb.Tx) error { return nil }); err != nil {
			t.Error(err)
		}
		if text, err := os.ReadFile(victim); err != nil || string(text) != "mine" {
			t.Errorf("what the links lead to has %d bytes, %v", len(text), err)
		}
	}
}
