package boltdb_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/record"
)

// BenchmarkCommit commits rows of the kind that services write: of each call, one row in order of time and one at random are new, and ten
// are rewritten, in six tables, each looked up first; in one table they look for the row before it. So many calls are in one transaction;
// figures are by call. With TMPDIR on a file system in memory it shows what is left without the disk; cpu-ns/op is what all threads of the
// process took, so that others on the machine matter less. Read: beside it, somebody reads all the time.
func BenchmarkCommit(b *testing.B) {
	for _, size := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint("calls=", size), func(b *testing.B) { benchmarkCommit(b, size, false) })
	}
	b.Run("calls=100,read", func(b *testing.B) { benchmarkCommit(b, 100, true) })
}

func benchmarkCommit(b *testing.B, size int, read bool) {
	db, err := boltdb.Open(boltdb.Options{Path: filepath.Join(b.TempDir(), "x.db"), Kind: "test", Format: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	w := &writer{dice: rand.New(rand.NewPCG(1, 2))}
	for range 20_000 / size { // so that there are rows to be found
		w.commit(b, db, size)
	}
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for read {
			select {
			case <-ended:
				return
			case <-time.After(5 * time.Millisecond):
				_ = db.View(func(tx *boltdb.Tx) error { return walk(tx, 200) })
			}
		}
	}()
	b.ReportAllocs()
	before := processorTime(b)
	b.ResetTimer()
	for n := 0; n < b.N; n += size {
		w.commit(b, db, min(size, b.N-n))
	}
	b.StopTimer()
	b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
	close(ended)
	<-done
}

// writer writes what calls would.
type writer struct {
	dice   *rand.Rand
	number uint64
}

func (w *writer) commit(b *testing.B, db *boltdb.DB, n int) {
	b.Helper()
	if err := db.Update(b.Context(), func(tx *boltdb.Tx) error { return w.calls(tx, n) }); err != nil {
		b.Fatal(err)
	}
}

func (w *writer) calls(tx *boltdb.Tx, n int) error {
	tables, err := boltdb.Make(tx, [][]byte{[]byte("workspaces"), []byte("w")}, tableNames...)
	if err != nil {
		return err
	}
	for range n {
		if err := w.call(tables); err != nil {
			return err
		}
	}
	return nil
}

var tableNames = [][]byte{[]byte("t0"), []byte("t1"), []byte("t2"), []byte("t3"), []byte("t4"), []byte("t5")}

func (w *writer) call(tables *boltdb.Bucket) (err error) {
	w.number++
	random := binary.BigEndian.AppendUint64(make([]byte, 0, 24), w.dice.Uint64())
	err = errors.Join(
		rewrite(tables, 0, append(binary.BigEndian.AppendUint64([]byte{}, w.number), random...)),
		rewrite(tables, 1, append(random, random...)))
	for i := range 10 {
		key := binary.BigEndian.AppendUint64([]byte("a user's own row"), w.dice.Uint64N(800))
		err = errors.Join(err, rewrite(tables, i%len(tableNames), key))
		if i == 5 {
			tables.Bucket(tableNames[i]).Cursor().Seek(key)
		}
	}
	return err
}

// rewrite looks a row up and writes another value.
func rewrite(tables *boltdb.Bucket, table int, key []byte) error {
	t := tables.Bucket(tableNames[table])
	var value [72]byte
	copy(value[:], t.Get(key))
	value[0]++
	return t.Put(key, record.Seal(key, value[:]))
}

func walk(tx *boltdb.Tx, rows int) error {
	b := boltdb.Find(tx, []byte("workspaces"), []byte("w"), tableNames[5])
	if b == nil {
		return nil
	}
	cursor := b.Cursor()
	for key, _ := cursor.First(); key != nil && rows > 0; key, _ = cursor.Next() {
		rows--
	}
	return nil
}

// processorTime is what all threads of the process have taken.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
