// Package livefile follows small files, such as certificates and tokens, that are changed while a process runs.
package livefile

import (
	"crypto/sha256"
	"errors"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// lookEvery is how often the files are looked at, at most.
const lookEvery = time.Second

// Files is what one or more files say by now. Use Open.
type Files[T any] struct {
	paths   []string
	parse   func(texts [][]byte) (T, error)
	log     *slog.Logger
	current atomic.Pointer[T]

	looking sync.Mutex
	looked  time.Time
	// What the last look found, and what was acted on last.
	seen, settled sight
}

// sight is what a look found: the content of all files, or why they could not be read.
type sight struct {
	hash   [sha256.Size]byte
	failed string
}

// Open reads the files and has parse make of their contents, in the order of paths, what Now returns. The error names every file that
// cannot be read.
//
// Files are looked at when they are asked for, so there is nothing to close. While they are wrong or gone, what they said last stays, and
// the log has the problem once. Neither the log nor the error shows content, as long as parse's errors do not.
func Open[T any](paths []string, parse func(texts [][]byte) (T, error), log *slog.Logger) (*Files[T], error) {
	f := &Files[T]{paths: paths, parse: parse, log: log, looked: time.Now()}
	texts, now, _, err := read(paths)
	if err != nil {
		return nil, err
	}
	made, err := parse(texts)
	if err != nil {
		return nil, err
	}
	f.seen, f.settled = now, now
	f.current.Store(&made)
	return f, nil
}

// Now returns what the files say, at most a second or two late. It may be called by many at once, and makes none wait for another's look.
func (f *Files[T]) Now() T {
	if f.looking.TryLock() {
		if time.Since(f.looked) >= lookEvery {
			f.look()
			f.looked = time.Now()
		}
		f.looking.Unlock()
	}
	return *f.current.Load()
}

// look takes the files if they have changed, are whole and are good. A look may find a file half written, so what is new has to have
// stood for a while, or to be found by two looks.
func (f *Files[T]) look() {
	texts, now, stood, err := read(f.paths)
	whole := stood || now == f.seen
	f.seen = now
	if !whole || now == f.settled {
		return
	}
	f.settled = now
	if err == nil {
		var made T
		if made, err = f.parse(texts); err == nil {
			f.current.Store(&made)
			f.log.Info("changed files are taken", slog.Any("files", f.paths))
			return
		}
	}
	f.log.Error("changed files are not taken: what they said before stays", slog.Any("files", f.paths), slog.Any("error", err))
}

// read returns the contents of all files, and whether none was changed within the time between two looks.
func read(paths []string) (texts [][]byte, s sight, stood bool, err error) {
	all := sha256.New()
	stood = true
	for _, path := range paths {
		info, failed := os.Stat(path)
		if failed == nil {
			var text []byte
			text, failed = os.ReadFile(path)
			sum := sha256.Sum256(text)
			_, _ = all.Write(sum[:]) // a hash takes everything
			texts = append(texts, text)
			stood = stood && time.Since(info.ModTime()) >= lookEvery
		}
		err = errors.Join(err, failed)
	}
	if err != nil {
		return nil, sight{failed: err.Error()}, false, err
	}
	return texts, sight{hash: [sha256.Size]byte(all.Sum(nil))}, stood, nil
}
