package drive

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/sojournhq/sojourn/tests/load/internal/traffic"
)

// worker sends on one connection.
type worker struct {
	*run

	wire  *wire
	body  []byte
	heads map[traffic.Kind][]byte
}

// batchKind stands for a batch among the kinds of calls.
const batchKind traffic.Kind = "batch"

func (r *run) connect() (*worker, error) {
	conn, err := dial(r.Address)
	if err != nil {
		return nil, err
	}
	w := &worker{run: r, wire: conn, heads: map[traffic.Kind][]byte{}}
	for _, kind := range []traffic.Kind{traffic.Track, traffic.Identify, traffic.Page, traffic.Group, batchKind} {
		w.heads[kind] = head(r.Address, "/v1/"+string(kind), r.WriteKey)
	}
	return w, nil
}

func (w *worker) close() { _ = w.wire.conn.Close() }

// work sends until the time is over or no call is left.
func (w *worker) work(ctx context.Context) {
	for ctx.Err() == nil {
		due := time.Now()
		if w.Rate > 0 {
			due = w.began.Add(time.Duration(float64(w.slot.Add(1)-1) * float64(max(w.Batch, 1)) / w.Rate * float64(time.Second)))
		}
		if due.After(w.until) {
			return
		}
		time.Sleep(time.Until(due))
		if time.Since(w.until) > patience {
			w.note(func(t *tally) { t.unsent++ })
			continue // the rest of what was due is counted the same way
		}
		if !w.send(due) {
			return
		}
	}
}

// patience is for how long after its end an open loop goes on with what was due before.
const patience = 10 * time.Second

// send sends the next request, and reports whether there was one.
func (w *worker) send(due time.Time) bool {
	many := uint64(max(w.Batch, 1))
	first := w.next.Add(many) - many
	if first >= w.last {
		return false
	}
	many = min(many, w.last-first)
	kind := w.build(first, many)
	if len(w.body) > MaxBatchBytes {
		w.note(func(t *tally) { t.fail(many, "the batch is longer than the gateway takes: lower -batch") })
		return true
	}
	status, answer, err := w.exchange(kind)
	now := time.Now()
	switch {
	case err != nil:
		w.note(func(t *tally) { t.fail(many, err.Error()) })
		return w.reconnect()
	case status != http.StatusOK:
		w.note(func(t *tally) { t.refuse(status, many, answer) })
	case kind == batchKind && bytes.Contains(answer, []byte(`"rejected":[{`)):
		w.note(func(t *tally) {
			t.fail(many, "calls of a batch were rejected: "+string(answer[:min(len(answer), 200)]))
		})
	default:
		warned := bytes.Contains(answer, []byte(`"warnings":[`))
		w.calls.Add(many)
		w.note(func(t *tally) { t.answered(now.After(w.from), now.Sub(due), warned) })
	}
	return true
}

// exchange sends the request that was built. One that is refused for want of room is sent again if that is wanted: it then takes as long as
// until its last answer.
func (w *worker) exchange(kind traffic.Kind) (status int, answer []byte, err error) {
	for {
		status, answer, err = w.wire.exchange(w.heads[kind], w.body)
		refused := status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
		if err != nil || !refused || !w.Retry || time.Since(w.until) > patience {
			return status, answer, err
		}
		w.note(func(t *tally) { t.again(status) })
		time.Sleep(pause)
	}
}

// build makes the body of a request with calls from first on, and says where it is to be sent.
func (w *worker) build(first, many uint64) traffic.Kind {
	if w.Batch == 0 {
		c := w.stream.Call(first)
		w.body = w.stream.Append(w.body[:0], c)
		return c.Kind
	}
	w.body = append(w.body[:0], `{"batch":[`...)
	for n := first; n < first+many; n++ {
		if n > first {
			w.body = append(w.body, ',')
		}
		w.body = w.stream.Append(w.body, w.stream.Call(n))
	}
	w.body = append(w.body, `]}`...)
	return batchKind
}

// reconnect replaces a broken connection, and reports whether it could before the time was over.
func (w *worker) reconnect() bool {
	w.close()
	for time.Now().Before(w.until) {
		if conn, err := dial(w.Address); err == nil {
			w.wire = conn
			return true
		}
		time.Sleep(pause)
	}
	return false
}

const pause = 50 * time.Millisecond

func (w *worker) note(change func(*tally)) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	change(w.tally)
}
