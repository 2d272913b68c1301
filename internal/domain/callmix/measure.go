//go:build unix

package callmix

import (
	"syscall"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/internal/domain/call"
)

// stored is how many calls are recorded before it is measured.
const stored = 50_000

// Measure measures record by call, for batches of so many, and what it takes of the processors.
func Measure(b *testing.B, size int, record func([]call.Call) error) {
	b.Helper()
	mix := New(1)
	each := func(calls []call.Call, size int) {
		for len(calls) > 0 {
			n := min(size, len(calls))
			if err := record(calls[:n]); err != nil {
				b.Fatal(err)
			}
			calls = calls[n:]
		}
	}
	each(mix.Calls(stored), stored/10)
	calls := mix.Calls(b.N)
	b.ReportAllocs()
	b.ResetTimer()
	before := processor(b)
	each(calls, size)
	b.ReportMetric(float64(processor(b)-before)/float64(b.N), "cpu-ns/op")
}

// processor returns how long the process has had a processor.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
