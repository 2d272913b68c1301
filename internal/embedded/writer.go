package embedded

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"time"
)

// op is an update, or, without fn, a flush.
type op struct {
	fn    func(*Tx) error
	gone  <-chan struct{} // closed when nobody waits for it any more
	began time.Time
	done  chan error // 1
	err   error      // what fn returned, if nothing else fails
}

// frame is what the logger makes durable at once: the updates that ran while it was busy with the frame before.
type frame struct {
	ops     []*op
	changes []change
	bytes   int   // that they take in the log at most
	rows    *tree // the buffer with them
	freeze  bool  // the buffer is to be flushed
	flushes []*op // who waits for that, and wants the log forgotten
}

// change is a row that a frame changes. Base is its image before in the same buffer, nil if there is none.
type change struct{ row, base *row }

const (
	// maxFrame is how many bytes a frame may be given before it must go to the logger, and maxUpdate how many one update may add.
	maxFrame  = 8 << 20
	maxUpdate = math.MaxInt32 - maxFrame - frameOverhead
	maxOps    = 4096
	// maxLogged is how many times the size of a buffer the log may hold before the buffer is flushed: rows that change all the time fill
	// the log, and not the buffer.
	maxLogged = 4
)

// writer runs updates. All of it but what Store says belongs to its goroutine.
type writer struct {
	s     *Store
	own   layer // with all updates that ran since the last freeze, ahead of what is durable
	ahead *tree // the one before, frozen by the frame that the logger has; else nil
	tx    *Tx   // nil while nothing runs
	next  frame
	undo  []undo // how to take back what the update of now changed
	idle  bool   // the logger has nothing to do

	number  uint64    // of the next frame
	changes int       // for cursors
	since   time.Time // when the first row came into own
	logged  int       // bytes that went to the log since the last freeze
	waiting []*op     // flushes that were asked for
	stopped bool      // the store is being closed
}

// undo is what a change replaced: the row in the buffer, nil if it had none, or, where that was in the same frame, its value.
type undo struct {
	row, before *row
	value       []byte
	same        bool
}

func (w *writer) run() {
	defer close(w.s.frames)
	age := time.NewTicker(w.s.config.MaxAge / 4)
	defer age.Stop()
	closing := w.s.closing
	for !w.stopped || !w.idle || w.hasWork() {
		queue := w.s.queue
		if w.stopped || w.isFull() {
			queue = nil
		}
		select {
		case o := <-queue:
			w.take(o)
		case err := <-w.s.logged:
			w.settle(err)
		case <-w.s.flushed:
		case <-age.C:
		case <-closing:
			w.stopped, closing = true, nil
			continue
		}
		w.handOver()
	}
	answer(w.waiting, cmp.Or(w.s.failed(), ErrClosed))
}

// isFull says that no update can run now: the next frame has enough, or both buffers are full.
func (w *writer) isFull() bool {
	if w.next.bytes >= maxFrame || len(w.next.ops) >= maxOps {
		return true
	}
	return w.own.bytes >= w.s.config.BufferBytes && !w.mayFreeze() && !w.s.full.Load() && w.s.failed() == nil
}

// hasWork says whether there is something to be handed over.
func (w *writer) hasWork() bool { return len(w.next.ops) > 0 || w.wantsFreeze() && w.mayFreeze() }

// wantsFreeze says whether the buffer is to be flushed. While the store is being closed that is left to Close.
func (w *writer) wantsFreeze() bool {
	switch limit := w.s.config.BufferBytes; {
	case len(w.waiting) > 0:
		return true
	case w.stopped || w.own.Len() == 0:
		return false
	default:
		return w.own.bytes >= limit || w.logged >= maxLogged*limit || time.Since(w.since) >= w.s.config.MaxAge
	}
}

// mayFreeze says whether no other buffer is frozen.
func (w *writer) mayFreeze() bool {
	w.s.mu.RLock()
	defer w.s.mu.RUnlock()
	return w.ahead == nil && w.s.frozen == nil && w.s.failed() == nil
}

// take takes what somebody waits to have done, and what others do. Between such bursts no transaction of bbolt is open: a file that has to
// be mapped anew waits for all of them, and the writer may wait for those who wait for that.
func (w *writer) take(o *op) {
	defer w.release()
	for {
		w.do(o)
		if w.isFull() {
			return
		}
		select {
		case o = <-w.s.queue:
		default:
			return
		}
	}
}

func (w *writer) do(o *op) {
	switch err := w.s.failed(); {
	case err != nil:
		o.done <- err
	case o.fn == nil:
		w.waiting = append(w.waiting, o)
	case w.own.bytes >= w.s.config.BufferBytes && w.s.full.Load():
		o.done <- ErrFull // the flush that would make room for more has none
	case o.isGone(): // work for those who have left would make others leave too
	default:
		o.err = w.update(o.fn)
		w.next.ops = append(w.next.ops, o)
	}
}

func (o *op) isGone() bool {
	select {
	case <-o.gone:
		return true
	default:
		return false
	}
}

// update runs an update, and leaves nothing of it if it fails. What it says is not told before what it saw is durable.
func (w *writer) update(fn func(*Tx) error) error {
	if err := w.begin(); err != nil {
		return err
	}
	w.undo = w.undo[:0]
	changes, bytes := len(w.next.changes), w.next.bytes
	err := runSafely(fn, w.tx)
	err, w.tx.err = errors.Join(err, w.tx.err), nil
	if err == nil && w.next.bytes-bytes > maxUpdate {
		err = fmt.Errorf("%w: %d bytes", ErrTooLarge, w.next.bytes-bytes)
	}
	if err != nil {
		w.takeBack()
		w.next.changes, w.next.bytes = w.next.changes[:changes], bytes
	}
	return err
}

// runSafely makes an error of a panic: one bad update must not take down the goroutine that all others wait for.
func runSafely(fn func(*Tx) error, tx *Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a transaction: %v", p)
		}
	}()
	return guard(func() error { return fn(tx) })
}

// begin begins the transaction that the updates of a burst share. What is frozen may be in bbolt before it ends; it says the same there.
func (w *writer) begin() error {
	if w.tx != nil {
		return nil
	}
	w.s.mu.RLock()
	defer w.s.mu.RUnlock()
	file, err := w.s.beginFile()
	if err != nil {
		return err
	}
	w.tx = newTx(w.s, file)
	w.tx.writer = w
	w.tx.layers = append(w.tx.layers, w.own.tree)
	for _, l := range []*tree{w.ahead, w.s.frozen} {
		if l != nil {
			w.tx.layers = append(w.tx.layers, l)
		}
	}
	return nil
}

// release ends it.
func (w *writer) release() {
	if w.tx != nil {
		w.tx.end()
		w.tx = nil
	}
}

// set changes a row. One that this frame has changed already is in no other buffer, and changes where it is.
func (w *writer) set(t Table, key, value []byte) {
	w.changes++
	probe := &w.tx.probe
	probe.table, probe.key = t, key
	last, _ := w.own.GetHint(probe, &w.tx.hint)
	if last != nil && last.frame == w.number {
		w.undo = append(w.undo, undo{row: last, value: last.value, same: true})
		w.own.bytes += len(value) - len(last.value)
		w.next.bytes += len(value) - len(last.value)
		last.value = value
		return
	}
	r := newRow(t, key, value, w.number)
	if w.own.Len() == 0 {
		w.since = time.Now()
	}
	w.own.SetHint(r, &w.tx.hint)
	w.own.bytes += r.bytes()
	if last != nil {
		w.own.bytes -= last.bytes()
	}
	w.undo = append(w.undo, undo{row: r, before: last})
	w.next.changes = append(w.next.changes, change{row: r, base: last})
	w.next.bytes += len(key) + len(value) + changeOverhead
}

// takeBack undoes what the update of now changed.
func (w *writer) takeBack() {
	w.changes++
	for i := len(w.undo) - 1; i >= 0; i-- {
		switch u := w.undo[i]; {
		case u.same:
			w.own.bytes += len(u.value) - len(u.row.value)
			u.row.value = u.value
		case u.before != nil:
			w.own.bytes += u.before.bytes() - u.row.bytes()
			w.own.Set(u.before)
		default:
			w.own.bytes -= u.row.bytes()
			w.own.Delete(u.row)
		}
	}
}

// handOver gives the logger the next frame, if it has nothing to do and there is one.
func (w *writer) handOver() {
	w.s.filled.Store(int64(w.own.bytes))
	if err := w.s.failed(); err != nil {
		answer(w.waiting, err)
		w.waiting = nil
	}
	if !w.idle || !w.hasWork() {
		return
	}
	f := w.next
	f.rows = w.own.Copy()
	if f.freeze = w.wantsFreeze() && w.mayFreeze(); f.freeze {
		f.flushes, w.waiting = w.waiting, nil
		w.own, w.ahead, w.logged = newLayer(), f.rows, 0
	} else {
		w.logged += f.bytes
	}
	w.next, w.idle = frame{changes: make([]change, 0, len(f.changes))}, false
	w.number++
	w.s.frames <- &f
}

// settle goes on when it is known what became of a frame. If nothing is left of it, nothing may be left of what was built on it.
func (w *writer) settle(err error) {
	w.idle, w.ahead = true, nil
	if err == nil {
		return
	}
	answer(w.next.ops, err)
	w.next = frame{}
	w.s.mu.RLock()
	defer w.s.mu.RUnlock()
	w.own = layer{tree: w.s.active.Copy()}
	w.own.Scan(func(r *row) bool { w.own.bytes += r.bytes(); return true })
	w.changes++
}

// answer tells those who wait what became of their updates: the error, or else what each of them returned.
func answer(ops []*op, err error) {
	for _, o := range ops {
		if err != nil {
			o.err = err
		}
		o.done <- o.err
	}
}
