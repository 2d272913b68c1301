// Package notice says in the log that calls are refused, to whoever runs Sojourn and does not look for it: many libraries report errors of
// the network and nothing else, so that their users never see an answer.
//
// The first refusal of a source for a reason is a line at once. After that there is at most one line a minute for both, with how many there
// were since the last one.
package notice

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Every is how often the log has a line about one subject.
const Every = time.Minute

// MaxSubjects is how many subjects are told apart at a time. What comes beside them is told together.
const MaxSubjects = 1000

// Subject is what a line is about: what happens, to which source, and why, by the code of the answer.
type Subject struct {
	// Message is the line's constant text.
	Message string
	// Workspace and Source are empty where it is not known who sends.
	Workspace, Source, Code string
}

// Notice is what was refused.
type Notice struct {
	Subject

	// Count is how many calls, or requests, it was.
	Count int
	// Reason is what the sender was told to fix. It quotes nothing that was sent.
	Reason string
	// Command shows what was refused, where one does.
	Command string
}

// Log writes the lines. Use New, and Close it in the end.
type Log struct {
	log *slog.Logger

	mutex    sync.Mutex
	subjects map[Subject]*subject
	closed   bool
}

// subject is what happened since the last line about one.
type subject struct {
	last  Notice // with how many there were since
	timer *time.Timer
}

// New returns a log that writes its lines to log, as warnings.
func New(log *slog.Logger) *Log { return &Log{log: log, subjects: map[Subject]*subject{}} }

// Add tells of a refusal, or counts it until its subject has the next line.
func (l *Log) Add(ctx context.Context, n Notice) {
	if n, now := l.add(n); now {
		l.write(ctx, n)
	}
}

// add counts a refusal, and says whether it is to be told at once, and as what.
func (l *Log) add(n Notice) (_ Notice, now bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.closed {
		return n, false
	}
	s := l.subjects[n.Subject]
	if s == nil && len(l.subjects) >= MaxSubjects {
		others := Subject{Message: n.Message, Code: "others"}
		n = Notice{Subject: others, Count: n.Count, Reason: "too many sources and reasons to tell apart"}
		s = l.subjects[n.Subject]
	}
	if s == nil {
		s = &subject{}
		s.timer = time.AfterFunc(Every, func() { l.tell(n.Subject) })
		l.subjects[n.Subject] = s
		return n, true
	}
	n.Count += s.last.Count
	s.last = n
	return n, false
}

// tell writes what has happened to a subject since the last line about it, and forgets the subject if that is nothing.
func (l *Log) tell(of Subject) {
	l.mutex.Lock()
	s := l.subjects[of]
	if l.closed || s == nil {
		l.mutex.Unlock()
		return
	}
	n := s.last
	s.last = Notice{}
	if n.Count == 0 {
		delete(l.subjects, of)
	} else {
		s.timer.Reset(Every)
	}
	l.mutex.Unlock()
	if n.Count > 0 {
		l.write(context.Background(), n)
	}
}

// Close writes what no line has told of yet. Nothing is told after that.
func (l *Log) Close() {
	l.mutex.Lock()
	subjects := l.subjects
	l.subjects, l.closed = nil, true
	l.mutex.Unlock()
	for _, s := range subjects {
		s.timer.Stop()
		if s.last.Count > 0 {
			l.write(context.Background(), s.last)
		}
	}
}

func (l *Log) write(ctx context.Context, n Notice) {
	var attrs []slog.Attr
	for _, a := range []struct{ name, value string }{
		{"workspace", n.Workspace}, {"source", n.Source}, {"code", n.Code}, {"reason", n.Reason}, {"command", n.Command},
	} {
		if a.value != "" {
			attrs = append(attrs, slog.String(a.name, a.value))
		}
	}
	l.log.LogAttrs(ctx, slog.LevelWarn, n.Message, append(attrs, slog.Int("count", n.Count))...) //nolint:sloglint // a Message is constant
}
