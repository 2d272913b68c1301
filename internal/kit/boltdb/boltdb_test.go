package boltdb_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
)

var bucket = []byte("b")

func open(t *testing.T, path string) *boltdb.DB {
	t.Helper()
	db, err := boltdb.Open(boltdb.Options{Path: path, Kind: "test", Format: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func put(key string) func(*boltdb.Tx) error {
	return func(tx *boltdb.Tx) error {
		b, err := tx.CreateBucketIfNotExists(bucket)
		if err != nil {
			return err
		}
		return b.Put([]byte(key), []byte("v"))
	}
}

func count(t *testing.T, db *boltdb.DB) (n int) {
	t.Helper()
	err := db.View(func(tx *boltdb.Tx) error {
		if b := tx.Bucket(bucket); b != nil {
			n = b.Count()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestEveryAcknowledgedWriteIsThereAfterReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db := open(t, path)
	var group sync.WaitGroup
	for i := range 200 {
		group.Go(func() {
			if err := db.Update(context.Background(), put(fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if got := count(t, open(t, path)); got != 200 {
		t.Errorf("%d keys, want 200", got)
	}
}

func TestAWriteThatFailsLeavesNothingAndCostsOnlyItself(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "x.db"))
	boom := errors.New("boom")
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			err := db.Update(context.Background(), func(tx *boltdb.Tx) error {
				if err := put(fmt.Sprint(i))(tx); err != nil {
					return err
				}
				switch i % 5 {
				case 0:
					return boom
				case 1:
					panic("bang")
				}
				return nil
			})
			if wantErr := i%5 <= 1; (err != nil) != wantErr || (i%5 == 0 && !errors.Is(err, boom)) {
				t.Errorf("write %d: %v", i, err)
			}
		})
	}
	group.Wait()
	if got := count(t, db); got != 30 {
		t.Errorf("%d keys, want 30", got)
	}
}

func TestAClosedStoreSaysSo(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "x.db"))
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Update(context.Background(), put("a")); !errors.Is(err, boltdb.ErrClosed) {
		t.Errorf("Update: %v, want ErrClosed", err)
	}
	if err := db.View(func(*boltdb.Tx) error { return nil }); !errors.Is(err, boltdb.ErrClosed) {
		t.Errorf("View: %v, want ErrClosed", err)
	}
}

func TestAFileOfAnotherKindOrANewerFormatOrInUseIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := boltdb.Open(boltdb.Options{Path: path, Kind: "test", Format: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := boltdb.Open(boltdb.Options{Path: path, Kind: "test", Format: 2}); !errors.Is(err, boltdb.ErrLocked) {
		t.Errorf("in use: %v, want ErrLocked", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]boltdb.Options{
		"another kind": {Path: path, Kind: "other", Format: 2},
		"newer format": {Path: path, Kind: "test", Format: 1},
	} {
		if _, err := boltdb.Open(o); !errors.Is(err, boltdb.ErrFormat) {
			t.Errorf("%s: %v, want ErrFormat", name, err)
		}
	}
}

func TestAWriteThatNobodyWaitsForIsDropped(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "x.db"))
	entered, leave := make(chan struct{}), make(chan struct{})
	first := make(chan error, 1)
	go func() {
		first <- db.Update(context.Background(), func(tx *boltdb.Tx) error {
			close(entered)
			<-leave
			return put("first")(tx)
		})
	}()
	<-entered
	gone, cancel := context.WithCancel(context.Background())
	second := make(chan error, 1)
	go func() { second <- db.Update(gone, put("second")) }()
	cancel()
	if err := <-second; !errors.Is(err, context.Canceled) {
		t.Errorf("the abandoned write: %v, want Canceled", err)
	}
	close(leave)
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	if err := db.Update(context.Background(), put("third")); err != nil {
		t.Fatal(err)
	}
	if got := count(t, db); got != 2 {
		t.Errorf("%d keys, want 2", got)
	}
}

func TestAFileOpenForReadingIsNeitherMadeNorChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	o := boltdb.Options{Path: path, Kind: "test", Format: 1, ReadOnly: true}
	if _, err := boltdb.Open(o); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v, want ErrNotExist", err)
	}
	db := open(t, path)
	if err := db.Update(context.Background(), put("a")); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	reading, err := boltdb.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reading.Close() }()
	if err := reading.Update(context.Background(), put("b")); !errors.Is(err, boltdb.ErrReadOnly) {
		t.Errorf("Update: %v, want ErrReadOnly", err)
	}
	if got := count(t, reading); got != 1 {
		t.Errorf("%d keys, want 1", got)
	}
}

func TestAWriteThatFindsWhatCannotBeStopsTheStore(t *testing.T) {
	failed := make(chan error, 1)
	o := boltdb.Options{Path: filepath.Join(t.TempDir(), "x.db"), Kind: "test", Format: 1, OnFail: func(err error) { failed <- err }}
	db, err := boltdb.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	err = db.Update(t.Context(), func(tx *boltdb.Tx) error {
		return errors.Join(put("a")(tx), fmt.Errorf("%w: it ends before it starts", boltdb.ErrBroken))
	})
	if !errors.Is(err, boltdb.ErrFailed) {
		t.Errorf("the write: %v, want ErrFailed", err)
	}
	if err := <-failed; !errors.Is(err, boltdb.ErrBroken) {
		t.Errorf("told: %v, want ErrBroken", err)
	}
	if err := db.Update(t.Context(), put("b")); !errors.Is(err, boltdb.ErrFailed) {
		t.Errorf("the next write: %v, want ErrFailed", err)
	}
	if got := count(t, db); got != 0 {
		t.Errorf("%d keys, want 0", got)
	}
}
