package rows

import (
	"slices"
	"sync/atomic"
)

const (
	chunkBits = 9
	chunkLen  = 1 << chunkBits
)

// slab is room for records that hold no pointers. They are numbered from 1 on and stay where they are. One goroutine at a time adds;
// others may look at records whose number they have from it.
type slab[T any] struct {
	chunks atomic.Pointer[[]*[chunkLen]T]
	used   uint32 // the last number that was given away, or passed over
}

// at returns a record.
func (s *slab[T]) at(n uint32) *T {
	return &(*s.chunks.Load())[n>>chunkBits][n%chunkLen]
}

// add returns the number of the first of so many records side by side. They may hold what was in them before the slab was emptied.
func (s *slab[T]) add(n uint32) uint32 {
	first := s.used + 1
	if first>>chunkBits != (first+n-1)>>chunkBits {
		first = (first>>chunkBits + 1) << chunkBits
	}
	s.used = first + n - 1
	chunks := s.all()
	if int(s.used>>chunkBits) >= len(chunks) {
		chunks = append(slices.Clip(chunks), new([chunkLen]T)) // a copy: others may be reading
		s.chunks.Store(&chunks)
	}
	return first
}

func (s *slab[T]) all() []*[chunkLen]T {
	if chunks := s.chunks.Load(); chunks != nil {
		return *chunks
	}
	return nil
}

// reset empties the slab, and keeps room for so many records at most.
func (s *slab[T]) reset(kept int) {
	if kept /= chunkLen; len(s.all()) > kept {
		s.chunks.Store(nil)
	}
	s.used = 0
}
