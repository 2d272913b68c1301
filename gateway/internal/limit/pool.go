package limit

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Why a pool grants nothing.
var (
	// errShare: there is something free, but it is kept for those who hold less.
	errShare = errors.New("more than its share")
	// errFull: there is not enough left for anybody.
	errFull = errors.New("nothing free")
)

// share is how many times what stays free one tenant may hold. A tenant that is alone gets four fifths of a pool, each of two four ninths,
// and each of n 4/(4n+1) of it, so that whoever comes next finds a place at once, however much the others ask for.
const share = 4

// pool is a number of units that tenants hold for a while. No tenant can take it all: see share.
type pool[T comparable] struct {
	wait time.Duration // how long a tenant may stand in line; 0: there is none

	mu    sync.Mutex
	size  int64
	free  int64
	held  map[T]int64     // of the tenants that hold anything
	lines map[T][]*ticket // of the tenants that wait
	turn  uint64          // of the next ticket
}

// ticket is a place in line.
type ticket struct {
	n       int64
	turn    uint64
	granted chan struct{} // closed when it is
}

func newPool[T comparable](size int64, wait time.Duration) *pool[T] {
	return &pool[T]{size: size, wait: wait, free: size, held: map[T]int64{}, lines: map[T][]*ticket{}}
}

// take gives n units to who, or says why not. It waits as long as the pool allows, and not beyond ctx.
func (p *pool[T]) take(ctx context.Context, who T, n int64) error {
	p.mu.Lock()
	if len(p.lines) == 0 && p.fits(who, n) {
		p.give(who, n)
		p.mu.Unlock()
		return nil
	}
	if p.wait == 0 {
		defer p.mu.Unlock()
		return p.why(n)
	}
	t := p.join(who, n)
	p.admit()
	p.mu.Unlock()
	timer := time.NewTimer(p.wait)
	defer timer.Stop()
	select {
	case <-t.granted:
	case <-timer.C:
	case <-ctx.Done():
	}
	return p.giveUp(who, t)
}

func (p *pool[T]) join(who T, n int64) *ticket {
	t := &ticket{n: n, turn: p.turn, granted: make(chan struct{})}
	p.turn++
	p.lines[who] = append(p.lines[who], t)
	return t
}

// giveUp leaves the line, unless the ticket has been granted by now.
func (p *pool[T]) giveUp(who T, t *ticket) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-t.granted:
		return nil
	default:
	}
	p.leaveLine(who, t)
	p.admit() // those behind it may fit where it did not
	return p.why(t.n)
}

func (p *pool[T]) why(n int64) error {
	if n > p.free {
		return errFull
	}
	return errShare
}

// put takes n units back from who.
func (p *pool[T]) put(who T, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop(who, n)
	p.admit()
}

// move makes n units of one tenant another's, or says why not; then they stay where they are.
func (p *pool[T]) move(from, to T, n int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if from == to || n == 0 {
		return nil
	}
	p.drop(from, n)
	if p.fits(to, n) {
		p.give(to, n)
		p.admit()
		return nil
	}
	p.give(from, n)
	return errShare
}

func (p *pool[T]) fits(who T, n int64) bool {
	held := p.held[who]
	return n <= p.free && (held == 0 || held+n <= share*(p.free-n))
}

func (p *pool[T]) give(who T, n int64) {
	p.free -= n
	p.held[who] += n
}

func (p *pool[T]) drop(who T, n int64) {
	p.free += n
	if p.held[who] -= n; p.held[who] == 0 {
		delete(p.held, who)
	}
}

// admit grants what can be granted. First is who holds least, then who waits longest. Nobody overtakes the first: what becomes free is kept
// until it is enough.
func (p *pool[T]) admit() {
	for len(p.lines) > 0 {
		who, first := p.first()
		if !p.fits(who, first.n) {
			return
		}
		p.give(who, first.n)
		p.leaveLine(who, first)
		close(first.granted)
	}
}

func (p *pool[T]) first() (who T, first *ticket) {
	for t, line := range p.lines {
		if first == nil || p.held[t] < p.held[who] || p.held[t] == p.held[who] && line[0].turn < first.turn {
			who, first = t, line[0]
		}
	}
	return who, first
}

func (p *pool[T]) leaveLine(who T, t *ticket) {
	line := p.lines[who]
	for i := range line {
		if line[i] == t {
			line = append(line[:i:i], line[i+1:]...)
			break
		}
	}
	if p.lines[who] = line; len(line) == 0 {
		delete(p.lines, who)
	}
}

// resize changes how much there is. What is held stays held, so there may be less than nothing free for a while.
func (p *pool[T]) resize(size int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free += size - p.size
	p.size = size
	p.admit()
}

func (p *pool[T]) sizes() (size, free int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.size, p.free
}

// each calls yield with what every tenant holds.
func (p *pool[T]) each(yield func(who T, held int64)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for who, held := range p.held {
		yield(who, held)
	}
}
