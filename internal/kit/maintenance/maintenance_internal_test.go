package maintenance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	maintenancev1 "github.com/sojournhq/sojourn/proto/sojourn/maintenance/v1"
)

// fake is a file that is compacted as a test says.
type fake struct {
	worthwhile bool
	spare      int64 // of the last compaction
	runs       int
	compact    func() error
}

func (f *fake) Kind() string     { return "events" }
func (f *fake) Worthwhile() bool { return f.worthwhile }
func (f *fake) Reserve() int64   { return 77 }

func (f *fake) Compact(_ context.Context, spare int64) (boltdb.Compaction, error) {
	f.spare = spare
	f.runs++
	if err := f.compact(); err != nil {
		return boltdb.Compaction{}, err
	}
	return boltdb.Compaction{Before: 3, After: 2, Took: time.Second}, nil
}

func newServer(f *fake, log *bytes.Buffer) *Server {
	return &Server{file: f, process: NewProcess(true), log: slog.New(slog.NewTextHandler(log, nil))}
}

func TestEveryFailureHasAStatusThatSaysWhatToDo(t *testing.T) {
	var log bytes.Buffer
	f := &fake{}
	s := newServer(f, &log)
	for _, c := range []struct {
		err  error
		code codes.Code
		says string
	}{
		{nil, codes.OK, ""},
		{boltdb.ErrCompacting, codes.ResourceExhausted, "try again later"},
		{boltdb.ErrNoRoom, codes.ResourceExhausted, "free space"},
		{boltdb.ErrReadOnly, codes.FailedPrecondition, "reading only"},
		{boltdb.ErrDamaged, codes.FailedPrecondition, "damaged"},
		{boltdb.ErrClosed, codes.Unavailable, "stopping"},
		{boltdb.ErrFailed, codes.Unavailable, "stopping"},
		{context.Canceled, codes.Canceled, ""},
	} {
		f.compact = func() error {
			if c.err != nil {
				return fmt.Errorf("compact x: %w", c.err)
			}
			return nil
		}
		got, err := s.Compact(t.Context(), &maintenancev1.CompactRequest{Store: "events"})
		if status.Code(err) != c.code || !strings.Contains(status.Convert(err).Message(), c.says) {
			t.Errorf("%v: %v, want %v with %q", c.err, err, c.code, c.says)
		}
		if c.err == nil && (got.GetBytesBefore() != 3 || got.GetBytesAfter() != 2 || got.GetTook().AsDuration() != time.Second) {
			t.Errorf("answered %v", got)
		}
	}
	if f.spare != 0 {
		t.Errorf("who asks may use the reserve, but %d bytes were spared", f.spare)
	}
	if _, err := s.Compact(t.Context(), &maintenancev1.CompactRequest{Store: "identity"}); status.Code(err) != codes.NotFound {
		t.Errorf("of another store: %v", err)
	}
	done, failed := strings.Count(log.String(), "was compacted"), strings.Count(log.String(), "was not compacted")
	if done != 1 || failed < 3 {
		t.Errorf("%d and %d lines:\n%s", done, failed, &log)
	}
}

func TestAProcessCompactsOneFileAtATime(t *testing.T) {
	var log bytes.Buffer
	other := newServer(&fake{}, &log)
	f := &fake{compact: func() error {
		if _, err := other.Compact(t.Context(), &maintenancev1.CompactRequest{}); status.Code(err) != codes.ResourceExhausted {
			return fmt.Errorf("the other one: %w", err)
		}
		return nil
	}}
	s := newServer(f, &log)
	other.process = s.process
	for range 2 {
		if _, err := s.Compact(t.Context(), &maintenancev1.CompactRequest{}); err != nil {
			t.Error(err)
		}
	}
}

func TestAFileIsCompactedByItselfWhenThatIsWorthwhileAndLeftAloneAfterFailures(t *testing.T) {
	var log bytes.Buffer
	var p pauses
	fails := errors.New("boom")
	f := &fake{compact: func() error { return fails }}
	s := newServer(f, &log)
	if wait := s.lookOnce(t.Context(), &p); wait != lookEvery || f.runs != 0 {
		t.Errorf("not worthwhile: %d runs, then %v", f.runs, wait)
	}
	f.worthwhile = true
	for _, want := range []time.Duration{10 * time.Minute, 20 * time.Minute, 40 * time.Minute} {
		if wait := s.lookOnce(t.Context(), &p); wait != want {
			t.Errorf("after %d failures %v, want %v", f.runs, wait, want)
		}
	}
	for range 20 {
		p.longer()
	}
	if p.last != longestPause {
		t.Errorf("the longest pause is %v", p.last)
	}
	fails = boltdb.ErrCompacting // no failure
	if wait := s.lookOnce(t.Context(), &p); wait != lookEvery || p.last != longestPause {
		t.Errorf("not its turn: %v", wait)
	}
	fails = nil
	if wait := s.lookOnce(t.Context(), &p); wait != lookEvery || p.last != 0 || f.spare != 77 {
		t.Errorf("done: %v, %v, %d spared", wait, p.last, f.spare)
	}
}

func TestWhatIsDoneByItselfEndsWithTheFile(t *testing.T) {
	db, err := boltdb.Open(boltdb.Options{Path: filepath.Join(t.TempDir(), "x.db"), Kind: "events", Format: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, process := range []*Process{nil, NewProcess(false), NewProcess(true)} {
		s := Open(db, process, slog.New(slog.DiscardHandler))
		if _, err := s.Compact(t.Context(), &maintenancev1.CompactRequest{}); err != nil && status.Code(err) != codes.ResourceExhausted {
			t.Error(err)
		}
		s.Close()
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}
