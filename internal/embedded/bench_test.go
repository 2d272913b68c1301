package embedded_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/internal/embedded"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/record"
)

// BenchmarkCoarseRows commits the same coarse rows to this engine and to boltdb: of each call a ledger chunk that fifty calls share, a
// packed row of points of one of 20,000 visitors, a session, a day, each read and rewritten. So many calls are in one transaction, or so
// many callers send one each. Closing is charged, so that all is in the bbolt file. cpu-ns/op is what all threads of the process took for a
// call.
func BenchmarkCoarseRows(b *testing.B) {
	engines := map[string]func(testing.TB) engine{"embedded": newEngine, "boltdb": newBoltdb}
	for _, name := range []string{"boltdb", "embedded"} {
		for _, size := range []int{1, 33, 100, 500} {
			b.Run(fmt.Sprintf("%s/calls=%d", name, size), func(b *testing.B) { benchmark(b, engines[name](b), size, 1) })
		}
		b.Run(name+"/callers=256", func(b *testing.B) { benchmark(b, engines[name](b), 1, 256) })
		b.Run(name+"/callers=8,calls=100", func(b *testing.B) { benchmark(b, engines[name](b), 100, 8) })
	}
}

// engine runs a transaction of calls in which each reads rows and writes others in their place.
type engine struct {
	update func(call func(rewrite rewriteFunc)) error
	close  func() error
}

type rewriteFunc func(table int, key []byte, change func(old []byte) []byte)

func newEngine(b testing.TB) engine {
	b.Helper()
	c := embedded.Config{Path: filepath.Join(b.TempDir(), "x.db"), Kind: "test", Format: 1, Tables: []string{"ledger", "points", "sessions", "days"}}
	s, err := embedded.Open(b.Context(), c, observe.Discard())
	if err != nil {
		b.Fatal(err)
	}
	return engine{close: s.Close, update: func(call func(rewriteFunc)) error {
		return s.Update(b.Context(), func(tx *embedded.Tx) error {
			call(func(table int, key []byte, change func([]byte) []byte) {
				tx.Put(embedded.Table(table), key, change(tx.Get(embedded.Table(table), key)))
			})
			return nil
		})
	}}
}

func newBoltdb(b testing.TB) engine {
	b.Helper()
	db, err := boltdb.Open(boltdb.Options{Path: filepath.Join(b.TempDir(), "x.db"), Kind: "test", Format: 1})
	if err != nil {
		b.Fatal(err)
	}
	names := [][]byte{[]byte("ledger"), []byte("points"), []byte("sessions"), []byte("days")}
	return engine{close: db.Close, update: func(call func(rewriteFunc)) error {
		return db.Update(b.Context(), func(tx *boltdb.Tx) error {
			in, err := boltdb.Make(tx, [][]byte{[]byte("workspaces"), []byte("w")}, names...)
			if err != nil {
				return err
			}
			call(func(table int, key []byte, change func([]byte) []byte) {
				t := in.Bucket(names[table])
				var old []byte
				if sealed := t.Get(key); sealed != nil {
					var openErr error
					old, openErr = record.Open(key, sealed)
					err = errors.Join(err, openErr)
				}
				err = errors.Join(err, t.Put(key, record.Seal(key, change(old))))
			})
			return err
		})
	}}
}

func benchmark(b *testing.B, e engine, size, callers int) {
	var calls atomic.Int64
	var senders sync.WaitGroup
	b.ReportAllocs()
	before := processorTime(b)
	b.ResetTimer()
	for n := range callers {
		senders.Go(func() {
			dice := rand.New(rand.NewPCG(1, uint64(n)))
			for {
				first := calls.Add(int64(size)) - int64(size)
				if first >= int64(b.N) {
					return
				}
				if err := e.update(func(rewrite rewriteFunc) {
					for n := range int64(size) {
						oneCall(rewrite, first+n, dice)
					}
				}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	senders.Wait()
	if err := e.close(); err != nil {
		b.Error(err)
	}
	b.StopTimer()
	b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
}

func oneCall(rewrite rewriteFunc, number int64, dice *rand.Rand) {
	grow := func(by int) func([]byte) []byte {
		return func(old []byte) []byte {
			value := append(make([]byte, 0, len(old)+by), old...)
			for range by / 8 {
				value = binary.BigEndian.AppendUint64(value, dice.Uint64())
			}
			return value
		}
	}
	keep := func(size int) func([]byte) []byte {
		return func(old []byte) []byte {
			value := append(make([]byte, 0, size), old...)[:size]
			binary.BigEndian.PutUint64(value[size-8:], uint64(number))
			return value
		}
	}
	visitor := dice.Uint64N(20_000)
	key := func(n ...uint64) (key []byte) {
		for _, n := range n {
			key = binary.BigEndian.AppendUint64(key, n)
		}
		return key
	}
	rewrite(0, key(uint64(number/50)), grow(64))
	rewrite(1, key(uint64(number/400_000), visitor), grow(24))
	rewrite(2, key(visitor, uint64(number/200_000)), keep(200))
	rewrite(3, key(visitor%50, visitor, uint64(number/500_000)), keep(120))
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
