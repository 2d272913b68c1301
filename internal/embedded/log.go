package embedded

import (
	"errors"
	"fmt"
)

// place is one in the log: a segment, and a byte of it.
type place struct {
	segment uint64
	at      int64
}

// log is the part of the log that is being written.
type log struct {
	segmentID

	disk   disk
	path   string // of the store
	limit  int64
	file   file
	size   int64
	buffer []byte
}

// maxKept is how large a buffer for a frame is kept for the next.
const maxKept = 4 << 20

func segmentPath(path string, number uint64) string { return fmt.Sprintf("%s.log-%d", path, number) }

// end is where the next frame comes.
func (l *log) end() place { return place{l.number, l.size} }

// close closes the segment that is being written, if there is one.
func (l *log) close() error {
	if l == nil || l.file == nil {
		return nil
	}
	return l.file.Close()
}

// createSegment makes a segment without frames. It and its name are on the disk when it returns.
func createSegment(d disk, path string, id segmentID) (f file, err error) {
	name := segmentPath(path, id.number)
	if f, err = d.create(name); err != nil {
		return nil, err
	}
	if _, err := f.WriteAt(id.header(), 0); err != nil {
		return nil, errors.Join(err, f.Close(), d.remove(name))
	}
	if err := errors.Join(f.Sync(), d.syncDir(path)); err != nil {
		return nil, errors.Join(&syncError{err}, f.Close())
	}
	return f, nil
}

// append makes a frame durable, and begins a new segment behind it where the last is long enough, or has to end. An error that is ErrFull
// says that nothing of the frame is left, any other that it is not known what is on the disk.
func (l *log) append(changes []change, rotate bool) (err error) {
	var next file
	if rotate || l.size >= l.limit {
		next, err = createSegment(l.disk, l.path, segmentID{l.store, l.number + 1})
		switch {
		case err == nil:
		case isFull(err) && !rotate: // then this one grows on
		case isFull(err):
			return fmt.Errorf("%w: %w", ErrFull, err)
		default:
			return fmt.Errorf("begin a segment: %w", err)
		}
	}
	l.buffer = l.appendFrame(l.buffer[:0], changes, l.size, next != nil)
	if err := l.write(); err != nil {
		if next == nil {
			return err
		}
		if errors.Is(err, ErrFull) { // else the frame may be there, and say that this segment is
			err = errors.Join(err, l.disk.remove(segmentPath(l.path, l.number+1)))
		}
		return errors.Join(err, next.Close())
	}
	l.size += int64(len(l.buffer))
	if cap(l.buffer) > maxKept {
		l.buffer = nil
	}
	if next == nil {
		return nil
	}
	closing := l.file
	l.file, l.number, l.size = next, l.number+1, int64(headerBytes)
	return closing.Close()
}

// write writes the frame in the buffer and brings it to the disk.
func (l *log) write() error {
	if _, err := l.file.WriteAt(l.buffer, l.size); err != nil {
		// What was written of it must be gone, on the disk too: else a crash might leave it behind the frame that comes next.
		if undo := l.file.Truncate(l.size); undo != nil || !isFull(err) {
			return errors.Join(err, undo)
		}
		if undo := l.file.Sync(); undo != nil {
			return &syncError{undo}
		}
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	if err := l.file.Sync(); err != nil {
		return &syncError{err}
	}
	return nil
}

// logFrames makes one frame after the other durable, publishes it, and answers.
func (s *Store) logFrames() {
	defer close(s.flushes)
	for f := range s.frames {
		err := s.makeDurable(f)
		if err != nil {
			answer(f.flushes, err)
		}
		answer(f.ops, err)
		s.logged <- err
	}
}

func (s *Store) makeDurable(f *frame) error {
	if err := s.failed(); err != nil {
		return err
	}
	if rotate := len(f.flushes) > 0; len(f.changes) > 0 || rotate {
		if err := s.log.append(f.changes, rotate); err != nil && !errors.Is(err, ErrFull) {
			return s.fail(fmt.Errorf("log: %w", err))
		} else if err != nil {
			return err
		}
		s.metrics.frame(f)
	}
	s.publish(f)
	return nil
}

// publish lets readers see a frame that is durable, and begins the flush of a buffer that it has frozen.
func (s *Store) publish(f *frame) {
	s.mu.Lock()
	s.active = f.rows
	if f.freeze {
		s.active, s.frozen = newTree(), f.rows
	}
	s.mu.Unlock()
	if f.freeze {
		s.flushes <- flushJob{rows: f.rows, at: s.log.end(), waiting: f.flushes}
	}
}
