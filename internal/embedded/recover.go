package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	bolt "go.etcd.io/bbolt"
)

// segments lists the numbers of the segments of a store, in order.
func segments(d disk, path string) (numbers []uint64, err error) {
	names, err := d.list(path + ".log-")
	for _, name := range names {
		if n, err := strconv.ParseUint(strings.TrimPrefix(name, path+".log-"), 10, 64); err == nil {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, err
}

// recover reads what the log holds that bbolt does not have, and makes the log ready to go on, unless the store is open for reading only.
func (s *Store) recover() (layer, error) {
	into := newLayer()
	from, clean, err := s.readPlace()
	if err != nil {
		return into, err
	}
	l := &log{segmentID: segmentID{s.id, from.segment}, disk: s.disk, path: s.config.Path, limit: s.config.SegmentBytes}
	s.log = l
	if !s.config.ReadOnly {
		if err := s.forget(from); err != nil {
			return into, err
		}
	}
	if clean {
		return into, s.beginLog(from)
	}
	if err := l.replay(from, replay{into}.change); err != nil || s.config.ReadOnly {
		return into, err
	}
	return into, l.goOn()
}

func (s *Store) readPlace() (from place, clean bool, err error) {
	err = guardFile(func() error {
		return s.file.View(func(tx *bolt.Tx) error {
			from, clean, err = placeOf(tx)
			return err
		})
	})
	return from, clean, err
}

// beginLog begins the log of a store that was closed, which has none.
func (s *Store) beginLog(at place) (err error) {
	name := segmentPath(s.config.Path, at.segment)
	data, err := s.disk.read(name) // a crash may have left one without frames
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(data) > headerBytes {
		return fmt.Errorf("%w: %s holds updates, but the data file was closed and needs none: put back the data file that was beside it",
			ErrSwapped, name)
	}
	if s.config.ReadOnly {
		return nil
	}
	if s.log.file, err = createSegment(s.disk, s.config.Path, s.log.segmentID); err != nil {
		return fmt.Errorf("begin a segment: %w", err)
	}
	s.log.size = int64(headerBytes)
	return s.disk.update(s.file, func(tx *bolt.Tx) error { return putPlace(tx, at, false) })
}

// replay reads the log from a place on, and leaves l at its end.
func (l *log) replay(from place, change changeFunc) error {
	for ; ; from = (place{from.segment + 1, int64(headerBytes)}) {
		l.number = from.segment
		name := segmentPath(l.path, l.number)
		data, err := l.disk.read(name)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: %s is gone, and with it updates that were answered: put it back, or restore a backup", ErrMissing, name)
		}
		if err != nil {
			return err
		}
		end, last, err := l.readSegment(data, from.at, change)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if l.size = end; !last {
			return l.nothingBehind()
		}
	}
}

// nothingBehind refuses a log that goes on behind a segment that does not say so: what came before is not whole. The next segment may be
// there, without frames: a crash came between its making and the frame that says that it is there.
func (l *log) nothingBehind() error {
	numbers, err := segments(l.disk, l.path)
	if err != nil || len(numbers) == 0 || numbers[len(numbers)-1] == l.number {
		return err
	}
	if numbers[len(numbers)-1] == l.number+1 {
		data, err := l.disk.read(segmentPath(l.path, l.number+1))
		if err != nil || len(data) <= headerBytes {
			return err
		}
	}
	return fmt.Errorf("%w: %s has lost its end: there are later segments", ErrDamaged, segmentPath(l.path, l.number))
}

// goOn opens the last segment, and removes what is behind its last frame, and the next segment, which has none.
func (l *log) goOn() (err error) {
	if err := removeIfThere(l.disk, segmentPath(l.path, l.number+1)); err != nil {
		return err
	}
	if l.file, err = l.disk.open(segmentPath(l.path, l.number)); err != nil {
		return err
	}
	return errors.Join(l.file.Truncate(l.size), l.file.Sync())
}

// replay brings what the log says into a buffer.
type replay struct{ into layer }

func (r replay) change(kind byte, to *row, shared uint64) error {
	if kind == kindPatch {
		base, found := r.into.Get(to)
		if !found || len(to.value) < patchHead || len(base.value) < patchHead || shared > uint64(len(base.value)-patchHead) {
			return errChange
		}
		to.value = slices.Concat(to.value[:patchHead], base.value[patchHead:patchHead+shared], to.value[patchHead:])
	}
	r.into.Set(to)
	return nil
}
