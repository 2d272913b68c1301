package observe

import (
	"context"
	"io"
	"log/slog"
)

// NewLog returns the log of a process: one JSON object a line, with the ids of the request that a line is about.
func NewLog(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(withIDs{slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})})
}

// withIDs adds the ids in the context of a line to it.
type withIDs struct{ slog.Handler }

// Handle implements slog.Handler.
func (h withIDs) Handle(ctx context.Context, r slog.Record) error {
	r.AddAttrs(IDs(ctx)...)
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h withIDs) WithAttrs(attrs []slog.Attr) slog.Handler {
	return withIDs{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h withIDs) WithGroup(name string) slog.Handler { return withIDs{h.Handler.WithGroup(name)} }
