package pages_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/kit/pages"
)

const pageSize = 4096

// made returns the bytes of a file with branches, buckets in buckets, inline ones, a value of many pages, and free pages.
func made(t testing.TB) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := bolt.Open(path, 0o600, &bolt.Options{PageSize: pageSize})
	if err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		err := db.Update(func(tx *bolt.Tx) error {
			top, err := tx.CreateBucketIfNotExists([]byte("workspaces"))
			for w := range 3 {
				b, makeErr := top.CreateBucketIfNotExists(fmt.Appendf(nil, "w%d", w))
				small, smallErr := b.CreateBucketIfNotExists([]byte("small"))
				rows, rowsErr := b.CreateBucketIfNotExists([]byte("rows"))
				err = errors.Join(err, makeErr, smallErr, rowsErr, small.Put([]byte("k"), []byte("v")))
				for i := range 600 {
					err = errors.Join(err, rows.Put(fmt.Appendf(nil, "%d-%05d", round, i*7), bytes.Repeat([]byte("v"), 40)))
				}
				err = errors.Join(err, rows.Put([]byte("big"), bytes.Repeat([]byte("b"), 5*pageSize)))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err = db.Update(func(tx *bolt.Tx) error { return tx.Bucket([]byte("workspaces")).DeleteBucket([]byte("w1")) })
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// check returns what is found in a file.
func check(file []byte) (found []error) {
	f, err := pages.Read(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return []error{err}
	}
	note := func(err error) { found = append(found, err) }
	if _, err := f.Check(context.Background(), note); err != nil {
		note(err)
	}
	if err := f.Head(); err != nil && len(found) == 0 {
		note(fmt.Errorf("found in the head alone: %w", err))
	}
	return found
}

func TestAFileOfBboltIsSound(t *testing.T) {
	if found := check(made(t)); found != nil {
		t.Errorf("found %v", found)
	}
}

// eachPage calls do with every page of a kind, those included that are free now and keep what they held: which of them are in use differs from
// file to file.
func eachPage(file []byte, flags byte, do func(at int)) {
	found := false
	for at := 2 * pageSize; at < len(file); at += pageSize {
		if id := binary.NativeEndian.Uint64(file[at:]); id == uint64(at/pageSize) && file[at+8] == flags {
			found = true
			do(at)
		}
	}
	if !found {
		panic("no such page")
	}
}

// TestAPageThatHasLostElementsIsNamed changes how many elements each page says that it has.
func TestAPageThatHasLostElementsIsNamed(t *testing.T) {
	whole := made(t)
	tried := 0
	for at := 2 * pageSize; at+pageSize <= len(whole); at += pageSize {
		page := whole[at:]
		flags, count := binary.NativeEndian.Uint16(page[8:]), binary.NativeEndian.Uint16(page[10:])
		if flags != 0x01 && flags != 0x02 || count == 0 || binary.NativeEndian.Uint64(page) != uint64(at/pageSize) {
			continue
		}
		for _, says := range []uint16{0, count / 2, count - 1, count + 1} {
			file := bytes.Clone(whole)
			binary.NativeEndian.PutUint16(file[at+10:], says)
			if len(check(file)) == 0 && !isFree(whole, at/pageSize) {
				t.Errorf("page %d says that it has %d elements of %d: nothing is found", at/pageSize, says, count)
			}
			tried++
		}
	}
	if tried < 100 {
		t.Errorf("only %d changes were tried", tried)
	}
}

// isFree says whether nothing is found if a page is made useless.
func isFree(whole []byte, page int) bool {
	file := bytes.Clone(whole)
	clear(file[page*pageSize:][:pageSize])
	return len(check(file)) == 0
}

func TestDamageIsNamedWithItsPage(t *testing.T) {
	sound := made(t)
	setChild := func(file []byte, child func(at int) uint64) {
		eachPage(file, 0x01, func(at int) { binary.NativeEndian.PutUint64(file[at+16+8:], child(at)) })
	}
	for name, c := range map[string]struct {
		damage func(file []byte)
		says   string
	}{
		"a circle":               {func(f []byte) { setChild(f, func(at int) uint64 { return uint64(at / pageSize) }) }, "used twice"},
		"a child beyond the end": {func(f []byte) { setChild(f, func(int) uint64 { return 1 << 40 }) }, "not one of the"},
		"a child that is a meta": {func(f []byte) { setChild(f, func(int) uint64 { return 1 }) }, "not one of the"},
		"too many elements":      {func(f []byte) { eachPage(f, 0x02, func(at int) { f[at+11] = 0xff }) }, "do not fit"},
		"a page of no kind": {func(f []byte) {
			eachPage(f, 0x01, func(at int) { f[at+8] = 0x07 })
		}, "neither branch nor leaf"},
		"another page's number": {func(f []byte) { eachPage(f, 0x02, func(at int) { f[at] ^= 1 }) }, "says that it is page"},
		"endless overflow":      {func(f []byte) { eachPage(f, 0x01, func(at int) { f[at+15] = 0xff }) }, "beyond the end"},
		"a list of free pages of 2^60": {func(f []byte) {
			eachPage(f, 0x10, func(at int) { copy(f[at+10:], "\xff\xff"); f[at+16+7] = 0x10 })
		}, "does not fit"},
	} {
		t.Run(name, func(t *testing.T) {
			file := bytes.Clone(sound)
			c.damage(file)
			found := fmt.Sprint(check(file))
			if !strings.Contains(found, c.says) || !strings.Contains(found, "page ") {
				t.Errorf("found %s, want %q", found, c.says)
			}
		})
	}
}

// TestNothingThatHappensToAFileKeepsItFromBeingExamined flips bits in what is structure, zeroes and swaps pages, and cuts the file off. Where
// nothing is found, bbolt must be able to read everything.
func TestNothingThatHappensToAFileKeepsItFromBeingExamined(t *testing.T) {
	const seed = 20261124
	t.Log("seed", seed)
	sound, dice := made(t), rand.New(rand.NewPCG(seed, 0))
	last := len(sound) / pageSize
	detected := 0
	for range 600 {
		file := bytes.Clone(sound)
		at := dice.IntN(last) * pageSize
		switch dice.IntN(6) {
		case 0:
			clear(file[at : at+pageSize])
		case 1:
			other := dice.IntN(last) * pageSize
			copy(file[at:], sound[other:other+pageSize])
			copy(file[other:], sound[at:at+pageSize])
		case 2:
			file = file[:dice.IntN(len(file))]
		default:
			for range 1 + dice.IntN(3) {
				file[at+dice.IntN(200)] ^= 1 << dice.IntN(8)
			}
		}
		found := check(file)
		for _, err := range found {
			if !errors.Is(err, pages.ErrDamaged) || !strings.Contains(err.Error(), "page ") {
				t.Fatalf("found %v", err)
			}
		}
		if len(found) > 0 {
			detected++
			continue
		}
		readAll(t, file)
	}
	if t.Logf("%d of 600 detected, the others harmless to the structure", detected); detected < 200 {
		t.Error("too few were detected: the damage missed what is used")
	}
}

// readAll reads everything in a file by bbolt and lets it check it.
func readAll(t *testing.T, file []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	err = db.View(func(tx *bolt.Tx) error {
		for err := range tx.Check() {
			t.Error("bbolt finds", err)
		}
		return tx.ForEach(func(_ []byte, b *bolt.Bucket) error { return every(b) })
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Error(err)
	}
}

func every(b *bolt.Bucket) error {
	return b.ForEach(func(k, v []byte) error {
		_, _ = bytes.Clone(k), bytes.Clone(v)
		if v == nil {
			return every(b.Bucket(k))
		}
		return nil
	})
}

// FuzzCheck writes something over a part of a sound file.
func FuzzCheck(f *testing.F) {
	sound := made(f)
	f.Add(uint32(0), []byte("no file of bbolt's"))
	f.Add(uint32(3*pageSize), []byte{3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1})
	f.Fuzz(func(t *testing.T, at uint32, over []byte) {
		file := bytes.Clone(sound)
		copy(file[int(at)%len(file):], over)
		for _, err := range check(file) {
			if !errors.Is(err, pages.ErrDamaged) {
				t.Error(err)
			}
		}
	})
}
