package boltdb

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"
)

// ErrFull says that the disk has no room for a write. Nothing of the write is left, reading goes on, and it may be tried again: what
// refuses it looks at the disk every roomEvery.
var ErrFull = errors.New("no room is left on the disk of the store")

const (
	// DefaultReserve is what is kept free on the disk for what makes room: deletions, compacting, and bringing to the data file what was
	// logged.
	DefaultReserve = 64 << 20
	// kept is the part of the reserve that calls which delete may not use, one in so many: whoever may send calls must not use up what
	// an administrator needs to delete, or the store to bring to the data file what was logged.
	kept = 4
	// roomEvery is how often the disk is looked at, at most.
	roomEvery = 250 * time.Millisecond
)

// Room returns ErrFull while less is free on the disk than is kept in reserve. What adds to the data asks before it writes; what deletes
// does not, and may use the reserve.
func (db *DB) Room() error {
	if db.room.full(time.Since(db.room.began)) {
		return fmt.Errorf("%s: %w", db.kind, ErrFull)
	}
	return nil
}

// RoomToDelete returns ErrFull while less is free on the disk than the part of the reserve that is kept from calls which delete. They make
// room, and ask this in place of Room.
func (db *DB) RoomToDelete() error {
	if db.room.full(time.Since(db.room.began)) && db.room.scarce.Load() {
		return fmt.Errorf("%s: %w", db.kind, ErrFull)
	}
	return nil
}

// room knows whether there is room on a disk.
type room struct {
	dir     string
	reserve int64
	free    func(dir string) (int64, bool)
	log     *slog.Logger // nil: nobody is told
	// began is when the store was opened: time is counted from there, for the wall clock may jump.
	began time.Time

	next   atomic.Int64 // when to look again
	short  atomic.Bool  // less than the reserve is free
	scarce atomic.Bool  // and less than what is kept of it
}

func newRoom(o Options) *room {
	reserve := o.ReserveBytes
	if reserve == 0 {
		reserve = DefaultReserve
	}
	return &room{dir: filepath.Dir(o.Path), reserve: reserve, free: freeBytes, log: o.Deps.Log, began: time.Now()}
}

// full says whether there is no room, at a time since the store was opened.
func (r *room) full(at time.Duration) bool {
	if next := r.next.Load(); int64(at) >= next && r.next.CompareAndSwap(next, int64(at+roomEvery)) {
		free, known := r.free(r.dir)
		short := known && free < r.reserve
		r.scarce.Store(short && free < r.reserve/kept)
		if r.short.Swap(short) != short && r.log != nil {
			r.tell(short, free)
		}
	}
	return r.short.Load()
}

// tell says that writing stops or goes on.
func (r *room) tell(short bool, free int64) {
	about := []any{slog.Int64("free_bytes", free), slog.Int64("reserve_bytes", r.reserve)}
	if short {
		r.log.Error("the disk is full but for the reserve: calls are refused until there is room", about...)
		return
	}
	r.log.Warn("there is room on the disk again: calls are taken", about...)
}
