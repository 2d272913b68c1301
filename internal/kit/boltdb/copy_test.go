package boltdb_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
)

// pair writes the same number under two keys, so that a copy torn between two moments can be told.
func pair(writer byte, n uint64) func(*boltdb.Tx) error {
	return func(tx *boltdb.Tx) error {
		b, err := tx.CreateBucketIfNotExists(bucket)
		if err != nil {
			return err
		}
		value := binary.BigEndian.AppendUint64(nil, n)
		pad := bytes.Repeat([]byte{writer}, 200) // so that pages are freed and used again
		return errors.Join(b.Put([]byte{writer, 1}, value), b.Put(append([]byte{writer, 2}, value...), pad), b.Put([]byte{writer, 3}, value))
	}
}

func TestACopyTakenWhileWritingIsOfOneMomentAndHoldsWhatWasAcknowledged(t *testing.T) {
	const writers = 4
	dir := t.TempDir()
	db := open(t, filepath.Join(dir, "x.db"))
	var acknowledged [writers]atomic.Uint64
	ctx, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	started := make(chan struct{}, writers)
	for w := range writers {
		group.Go(func() {
			for n := uint64(1); ctx.Err() == nil; n++ {
				if err := db.Update(t.Context(), pair(byte(w), n)); err != nil {
					t.Error(err)
				}
				acknowledged[w].Store(n)
				if n == 20 {
					started <- struct{}{}
				}
			}
		})
	}
	for range writers {
		<-started
	}
	for range 10 {
		var least [writers]uint64
		for w := range least {
			least[w] = acknowledged[w].Load()
		}
		var of boltdb.Snapshot
		file, err := db.Copy(t.Context(), func(s boltdb.Snapshot) error { of = s; return nil })
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "copy.db")
		text, err := io.ReadAll(file)
		if err := errors.Join(err, file.Close(), os.WriteFile(path, text, 0o600)); err != nil {
			t.Fatal(err)
		}
		if of.Kind != "test" || of.Format != 1 || of.Bytes != int64(len(text)) {
			t.Errorf("%d bytes are said to be %+v", len(text), of)
		}
		checkCopy(t, path, least[:])
	}
	stop()
	group.Wait()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 3 { // the file, its log and the manifest
		t.Errorf("beside the file there is %v, %v", entries, err)
	}
}

func checkCopy(t *testing.T, path string, least []uint64) {
	t.Helper()
	copied, err := boltdb.Open(boltdb.Options{Path: path, Kind: "test", Format: 1, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = copied.Close() }()
	err = copied.View(func(tx *boltdb.Tx) error {
		for problem := range tx.Check() {
			t.Error(problem)
		}
		for w := range least {
			a, b := tx.Bucket(bucket).Get([]byte{byte(w), 1}), tx.Bucket(bucket).Get([]byte{byte(w), 3})
			n := binary.BigEndian.Uint64(a)
			if !bytes.Equal(a, b) || n < least[w] || tx.Bucket(bucket).Get(append([]byte{byte(w), 2}, a...)) == nil {
				t.Errorf("writer %d: %x and %x, and %d was acknowledged", w, a, b, least[w])
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestACopyThatNobodyWantsAnyMoreIsGivenUpAndLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	db := open(t, filepath.Join(dir, "x.db"))
	ctx, leave := context.WithCancel(t.Context())
	if _, err := db.Copy(ctx, func(boltdb.Snapshot) error { leave(); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("given up in between: %v", err)
	}
	boom := errors.New("boom")
	if _, err := db.Copy(t.Context(), func(boltdb.Snapshot) error { return boom }); !errors.Is(err, boom) {
		t.Errorf("given up at its beginning: %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 3 { // the file, its log and the manifest
		t.Errorf("beside the file there is %v, %v", entries, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Copy(t.Context(), func(boltdb.Snapshot) error { return nil }); !errors.Is(err, boltdb.ErrClosed) {
		t.Errorf("of a closed store: %v", err)
	}
}

func TestACopyThatWouldFillTheDiskIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := boltdb.RoomFor(dir, 1<<20); err != nil {
		t.Errorf("a MiB: %v", err)
	}
	if err := boltdb.RoomFor(dir, math.MaxInt64/2); !errors.Is(err, boltdb.ErrNoRoom) {
		t.Errorf("as much as there can be: %v", err)
	}
}

func TestAStoppedFileIsCopiedAsItIsAndOneInUseIsNot(t *testing.T) {
	o := boltdb.Options{Path: filepath.Join(t.TempDir(), "x.db"), Kind: "test", Format: 1}
	db := open(t, o.Path)
	if err := db.Update(t.Context(), pair(0, 7)); err != nil {
		t.Fatal(err)
	}
	var of boltdb.Snapshot
	var copied bytes.Buffer
	begun := func(s boltdb.Snapshot) error { of = s; return nil }
	if err := boltdb.CopyStopped(t.Context(), o, begun, &copied); !errors.Is(err, boltdb.ErrLocked) {
		t.Errorf("in use: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := boltdb.CopyStopped(t.Context(), o, begun, &copied); err != nil || of.Bytes != int64(copied.Len()) || of.Kind != "test" {
		t.Errorf("%d bytes of %+v, %v", copied.Len(), of, err)
	}
	path := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(path, copied.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	checkCopy(t, path, []uint64{7})
}
