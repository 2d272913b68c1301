package bolt_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// `make bench-sessions` takes more.
var (
	storedPoints = flag.Int("stored", 200_000, "how many points are stored before the others are measured")
	longest      = flag.Int("longest", 100_000, "how many points the longest session has")
	fallingDue   = flag.Int("due", 20_000, "how many sessions fall due at once")
)

func newStore(b *testing.B) session.Store {
	b.Helper()
	store, err := open(b.TempDir(), defaults)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	return store
}

func recordAll(b *testing.B, store session.Store, calls ...call.Call) {
	b.Helper()
	if _, err := store.Record(context.Background(), "w", calls); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkLongSession records batches of 100 points of one session that is as long as the name says: in order, behind its end, or late, in
// its middle.
func BenchmarkLongSession(b *testing.B) {
	for _, late := range []bool{false, true} {
		for _, length := range []int{1000, *longest} {
			b.Run(fmt.Sprintf("late=%v/points=%d", late, length), func(b *testing.B) { benchmarkLongSession(b, length, late) })
		}
	}
}

func benchmarkLongSession(b *testing.B, length int, late bool) {
	const gap = 80 // a million points in less than a day
	store := newStore(b)
	n := 0
	point := func(ms int64) call.Call {
		n++
		return call.Call{
			Type: call.Track, AnonymousID: "bot", UserID: "u", MessageID: fmt.Sprintf("%08x-0000-4000-8000-000000000000", n),
			TimeMS: ms, OriginalMS: ms, Module: fmt.Sprint("m", n%5),
		}
	}
	for n < length {
		batch := make([]call.Call, 0, 1000)
		for range 1000 {
			batch = append(batch, point(int64(n)*gap))
		}
		recordAll(b, store, batch...)
	}
	random := rand.New(rand.NewPCG(1, 1))
	for b.Loop() {
		batch := make([]call.Call, 0, 100)
		for range 100 {
			if late {
				batch = append(batch, point(random.Int64N(int64(length)*gap)))
			} else {
				batch = append(batch, point(int64(n)*gap))
			}
		}
		recordAll(b, store, batch...)
	}
	b.ReportMetric(float64(b.N)*100/b.Elapsed().Seconds(), "points/s")
}

// traffic is people who come and go: at any time a thousand of them are there, each sending a point every half minute.
type traffic struct {
	random *rand.Rand
	n      int
}

func (t *traffic) next(lateness func(*rand.Rand) int64) call.Call {
	const present, visit = 1000, 40
	t.n++
	turn := t.n / present
	person := t.n%present + turn/visit*present // another one after so many points
	ms := int64(1_700_000_000_000) + int64(turn)*30_000 + int64(t.n%present)*30
	ms -= lateness(t.random)
	return call.Call{
		Type: call.Track, AnonymousID: fmt.Sprintf("%08x-1111-4000-8000-000000000000", person), UserID: fmt.Sprint("user ", person%100_000),
		AccountID: fmt.Sprint("account ", person%2000), Module: fmt.Sprint("module ", t.random.IntN(8)),
		MessageID: fmt.Sprintf("%016x-0000-4000-8000", t.random.Uint64()), TimeMS: ms, OriginalMS: ms,
	}
}

func (t *traffic) batch(n int, lateness func(*rand.Rand) int64) []call.Call {
	calls := make([]call.Call, n)
	for i := range calls {
		calls[i] = t.next(lateness)
	}
	return calls
}

func inOrder(*rand.Rand) int64 { return 0 }

// outOfOrder lets every point be late, by up to 20 minutes: within its person's visit, or before it.
func outOfOrder(random *rand.Rand) int64 { return random.Int64N(20 * minute) }

// BenchmarkTraffic records batches of 1,000 points of many people, into an empty store and into one that holds many points already.
func BenchmarkTraffic(b *testing.B) {
	for _, stored := range []int{0, *storedPoints} {
		store, people := newStore(b), &traffic{random: rand.New(rand.NewPCG(1, 1))}
		for people.n < stored {
			recordAll(b, store, people.batch(10_000, inOrder)...)
		}
		for _, order := range []struct {
			name     string
			lateness func(*rand.Rand) int64
		}{{"in order", inOrder}, {"out of order", outOfOrder}} {
			b.Run(fmt.Sprintf("stored=%d/%s", stored, order.name), func(b *testing.B) {
				for b.Loop() {
					recordAll(b, store, people.batch(1000, order.lateness)...)
				}
				b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "points/s")
			})
		}
	}
}

// BenchmarkRecordWhileSessionsFallDue records one point at a time, first with nothing else to do and then while very many sessions that fell
// due at once are being ended.
func BenchmarkRecordWhileSessionsFallDue(b *testing.B) {
	store, people := newStore(b), &traffic{random: rand.New(rand.NewPCG(1, 1))}
	for i := 0; i < *fallingDue; i += 10_000 {
		calls := people.batch(10_000, inOrder)
		for j := range calls {
			calls[j].AnonymousID = fmt.Sprint("person ", i+j)
		}
		recordAll(b, store, calls...)
	}
	measure := func(b *testing.B) {
		var took []time.Duration
		for b.Loop() {
			began := time.Now()
			recordAll(b, store, people.next(inOrder))
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		b.ReportMetric(float64(took[len(took)-1].Microseconds()), "max-µs")
	}
	b.Run("idle", measure)
	done := make(chan int)
	began := time.Now()
	go func() {
		total := 0
		for {
			looked, err := store.EndDue(context.Background(), 1<<46, 1000)
			if total += looked; err != nil || looked < 1000 {
				done <- total
				return
			}
		}
	}()
	b.Run("falling due", measure)
	select {
	case total := <-done:
		b.Logf("%d timers were through within %v, before the measurement was", total, time.Since(began))
	default:
		total := <-done
		b.Logf("%d timers took %v, longer than the measurement", total, time.Since(began))
	}
}
