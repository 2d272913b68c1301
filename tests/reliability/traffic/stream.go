// Package traffic invents calls that are hard to get right: they come late and twice, by several senders for one device at once, of users whose
// account is told only in some calls, of a few who are in several, with ids that run into each other when they are only joined, with pauses
// of exactly the timeout and a millisecond more, and traits that are set at the same time.
package traffic

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/sojournhq/sojourn/tests/reliability/oracle"
)

// Stream is what one sender has to say, all of it in one workspace. It is a function of its seed.
type Stream struct {
	workspace string
	sender    int
	random    *rand.Rand
	began     int64 // where its calendar begins

	made   []oracle.Call   // every call once
	ready  []oracle.Call   // to be said next
	later  [][]oracle.Call // to be said with the next batch, the one after it, …
	visits int
}

// days is how long the calendar is.
const days = 20

// New returns the stream of a sender. Streams of one workspace share devices, users and accounts, and no call. The calendar begins at beganMS and is 20
// days long.
func New(workspace string, seed uint64, sender int, beganMS int64) *Stream {
	return &Stream{
		workspace: workspace, sender: sender, random: rand.New(rand.NewPCG(seed, uint64(sender))), began: beganMS, later: make([][]oracle.Call, 40),
	}
}

// Calls are all calls that the stream made so far, each once: those that were said, and those that wait to be said late.
func (s *Stream) Calls() []oracle.Call { return s.made }

// Batch returns what is said next, about n calls: mostly new ones, late ones, and some again.
func (s *Stream) Batch(n int) []oracle.Call {
	for len(s.ready) < n {
		s.visit()
	}
	batch := s.later[0]
	s.later = append(s.later[1:], nil)
	for _, c := range s.ready[:n] {
		switch r := s.random.IntN(100); {
		case r < 15:
			s.delay(c)
			continue
		case r < 20:
			s.delay(c) // and now
		}
		batch = append(batch, c)
	}
	s.ready = s.ready[n:]
	s.random.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
	return batch
}

// Rest returns what is still to be said, in batches, so that everything made was said.
func (s *Stream) Rest() [][]oracle.Call {
	rest := slices.Concat(s.later, [][]oracle.Call{s.ready})
	s.later, s.ready = make([][]oracle.Call, len(s.later)), nil
	return rest
}

// delay has a call said with one of the next batches.
func (s *Stream) delay(c oracle.Call) {
	i := s.random.IntN(len(s.later))
	if s.random.IntN(3) > 0 {
		i %= 3
	}
	s.later[i] = append(s.later[i], c)
}

// visit makes the calls of one visit.
func (s *Stream) visit() {
	r := s.random
	era := s.visits / 200 // devices and users come and go, so that nothing grows without end
	s.visits++
	v := visitor{device: fmt.Sprintf("device-%d-%d", era, r.IntN(30)), user: era*40 + r.IntN(50)}
	at := s.began + r.Int64N(days)*24*hourMS + r.Int64N(24)*hourMS
	for range 1 + r.IntN(40) {
		at += pauses[r.IntN(len(pauses))]
		c := s.call(&v, at)
		s.made, s.ready = append(s.made, c), append(s.ready, c)
	}
}

const (
	secondMS = int64(1000)
	minuteMS = 60 * secondMS
	hourMS   = 60 * minuteMS
)

// pauses are between two calls of a visit; the session's timeout is 30 minutes, what counts of a pause as active are 5.
var pauses = []int64{
	0, 1, secondMS, secondMS, 20 * secondMS, 20 * secondMS, minuteMS, minuteMS, 3 * minuteMS, 5 * minuteMS, 5*minuteMS + 1, 12 * minuteMS,
	30 * minuteMS, 30*minuteMS + 1, 2 * hourMS,
}
