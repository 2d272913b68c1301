package rows

import (
	"errors"
	"math"
	"slices"
	"sync/atomic"
)

// text is where a key or a value lies in an arena.
type text struct {
	at   uint32 // number of the chunk, and from where on in it
	size uint32
}

// noText is nil.
var noText = text{size: math.MaxUint32} //nolint:gochecknoglobals // a constant

const (
	offsetBits = 19
	minChunk   = 1 << 10
	maxChunk   = 1 << offsetBits // bytes; a longer text has a chunk of its own
	maxChunks  = 1 << (32 - offsetBits)
)

var errArenaFull = errors.New("more keys and values in memory than can be addressed")

// arena is room for texts. One goroutine at a time adds; others may read what they have from it.
type arena struct {
	chunks atomic.Pointer[[][]byte]
	filled int // how many chunks have no room: all before the one that is being filled
	used   int // bytes of that one
}

// get returns a text, which must not be changed.
func (a *arena) get(t text) []byte {
	if t == noText {
		return nil
	}
	from := t.at % maxChunk
	return (*a.chunks.Load())[t.at>>offsetBits][from : from+t.size : from+t.size]
}

// keep copies a text into the arena.
func (a *arena) keep(value []byte) text {
	if value == nil {
		return noText
	}
	chunks := a.all()
	for a.filled < len(chunks) && (len(chunks[a.filled])-a.used < len(value) || a.used >= maxChunk) {
		a.filled, a.used = a.filled+1, 0
	}
	if a.filled == len(chunks) {
		if len(chunks) == maxChunks {
			panic(errArenaFull) // some 4 GiB; a generation is a hundredth of that
		}
		size := max(min(minChunk<<min(len(chunks), offsetBits), maxChunk), len(value))
		chunks = append(slices.Clip(chunks), make([]byte, size)) // a copy: others may be reading
		a.chunks.Store(&chunks)
	}
	t := text{uint32(a.filled)<<offsetBits | uint32(a.used), uint32(len(value))}
	copy(chunks[a.filled][a.used:], value)
	a.used += len(value)
	return t
}

func (a *arena) all() [][]byte {
	if chunks := a.chunks.Load(); chunks != nil {
		return *chunks
	}
	return nil
}

// reset empties the arena, and keeps so many bytes of room at most.
func (a *arena) reset(kept int) {
	room := 0
	for i, chunk := range a.all() {
		if room += len(chunk); poison && i <= a.filled {
			spoil(chunk)
		}
	}
	if room > kept {
		a.chunks.Store(nil)
	}
	a.filled, a.used = 0, 0
}

// spoil overwrites what was in a chunk, so that tests find whoever goes on reading it.
func spoil(chunk []byte) {
	for i := range chunk {
		chunk[i] = 0xdb
	}
}
