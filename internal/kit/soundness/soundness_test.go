package soundness_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/soundness"
)

// store makes a file of many pages, and returns its options.
func store(t *testing.T) boltdb.Options {
	t.Helper()
	o := boltdb.Options{Path: filepath.Join(t.TempDir(), "x.db"), Kind: "x", Format: 1}
	db, err := boltdb.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(t.Context(), func(tx *boltdb.Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte("rows"))
		for i := range 5000 {
			err = errors.Join(err, b.Put(fmt.Appendf(nil, "%04d", i), bytes.Repeat([]byte("v"), 50)))
		}
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return o
}

// readAll reads every row.
func readAll(tx *boltdb.Tx) error {
	return tx.Bucket([]byte("rows")).ForEach(func(_, value []byte) error {
		_ = bytes.Clone(value)
		return nil
	})
}

func examine(t *testing.T, o boltdb.Options, rows func(*boltdb.Tx) error) (problems []string) {
	t.Helper()
	if err := soundness.Examine(t.Context(), o, rows, func(p soundness.Problem) { problems = append(problems, p.String()) }); err != nil {
		t.Fatal(err)
	}
	return problems
}

func TestASoundFileHasNoProblems(t *testing.T) {
	if problems := examine(t, store(t), readAll); problems != nil {
		t.Errorf("found %q", problems)
	}
}

// secondBlocks returns where the second block of every leaf lies that has one: first its key, of four digits, then its rows.
func secondBlocks(file []byte) (all []int) {
	const page, leaf = 4096, 0x02
	for at := 2 * page; at < len(file); at += page {
		if file[at+8]&leaf == 0 || file[at+10] < 2 {
			continue
		}
		element := at + 16 + 16 // which says how far behind it the key is
		key := element + int(binary.LittleEndian.Uint32(file[element+4:]))
		if bytes.IndexByte([]byte("0123456789"), file[key]) >= 0 {
			all = append(all, key)
		}
	}
	return all
}

func TestADamagedFileIsAProblemAndNoCrash(t *testing.T) {
	const page = 4096
	for name, c := range map[string]struct {
		damage func(file []byte) []byte
		names  string
	}{
		"pages that lead out of the file": {func(file []byte) []byte {
			for at := 2 * page; at < len(file); at += page {
				if file[at+8]&0x01 != 0 { // a branch: its elements follow the header of 16 bytes; the child is their last 8
					copy(file[at+16+8:], "\x00\x00\x00\x00\x7f\x00\x00\x00")
				}
			}
			return file
		}, "is not one of the"},
		"two rows out of order": {func(file []byte) []byte {
			for _, at := range secondBlocks(file) {
				copy(file[at:], "0000")
			}
			return file
		}, "is not greater than the one before it"},
		"a bit of a row": {func(file []byte) []byte {
			for _, at := range secondBlocks(file) {
				file[at+10] ^= 1
			}
			return file
		}, "rows: store is damaged: the rows from key 30"},
	} {
		t.Run(name, func(t *testing.T) {
			o := store(t)
			file, err := os.ReadFile(o.Path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(o.Path, c.damage(file), 0o600); err != nil {
				t.Fatal(err)
			}
			if problems := examine(t, o, readAll); !strings.Contains(strings.Join(problems, "\n"), c.names) {
				t.Errorf("found %q, want %q", problems, c.names)
			}
		})
	}
}

// lastPage returns how many pages a file says that it has.
func lastPage(file []byte) uint64 {
	pages := func(meta []byte) uint64 { return binary.LittleEndian.Uint64(meta[16+40:]) }
	return max(pages(file), pages(file[4096:]))
}

func TestAFileOfNothingButDamageIsAnError(t *testing.T) {
	o := store(t)
	file, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string][]byte{
		"all pages":                       slices.Concat(file[:2*4096], bytes.Repeat([]byte{0xff}, len(file)-2*4096)),
		"all but the first pages cut off": file[:3*4096],
		"without its last byte":           file[:lastPage(file)*4096-1],
	} {
		if err := os.WriteFile(o.Path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		found := func(p soundness.Problem) { t.Errorf("found %q", p) }
		if err := soundness.Examine(t.Context(), o, readAll, found); !errors.Is(err, boltdb.ErrDamaged) {
			t.Errorf("%s: got %v, want ErrDamaged", name, err)
		}
	}
}

func TestWhatRowsFindComesFirstAndWhatKeepsThemFromLookingIsReturned(t *testing.T) {
	o := store(t)
	gone := func(*boltdb.Tx) error { return context.Canceled }
	found := func(p soundness.Problem) { t.Errorf("found %q", p) }
	if err := soundness.Examine(t.Context(), o, gone, found); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want Canceled", err)
	}
	panics := func(*boltdb.Tx) error { panic("page 7") }
	if problems := examine(t, o, panics); len(problems) != 1 || problems[0] != "store is damaged: page 7 cannot be read" {
		t.Errorf("found %q", problems)
	}
	if got := (soundness.Problem{Table: "a/b", Message: "wrong"}).String(); got != "a/b: wrong" {
		t.Errorf("got %q", got)
	}
}
