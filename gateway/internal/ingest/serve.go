package ingest

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
)

// visit is one request on its way through the door.
type visit struct {
	w        http.ResponseWriter
	r        *http.Request
	received time.Time
	// source is who sent it, once that is known.
	source *source
	// calls counts what it brought, by what became of it.
	accepted, duplicate, rejected int
}

// serve answers one request with what handle makes of it, and leaves one line in the log.
func (d *Door) serve(w http.ResponseWriter, r *http.Request, path string, handle func(*visit) answer) {
	r, span := d.begin(w, r, path)
	v := &visit{w: w, r: r, received: time.Now()}
	a := d.guard(v, handle)
	a.write(w)
	took := time.Since(v.received)
	d.metrics.request(r.Context(), path, a.status, took)
	d.log(v, path, a.status, took)
	end(span, v, a.status)
}

// guard turns a panic into an answer. The answer is complete before the first byte of it is written, so there is nothing to undo.
func (d *Door) guard(v *visit, handle func(*visit) answer) (a answer) {
	defer func() {
		if p := recover(); p != nil {
			d.deps.Log.ErrorContext(v.r.Context(), "request panicked", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			a = internalError()
		}
	}()
	return handle(v)
}

func (d *Door) log(v *visit, path string, status int, took time.Duration) {
	level := slog.LevelDebug
	switch {
	case status >= http.StatusInternalServerError:
		level = slog.LevelWarn
	case status >= http.StatusBadRequest:
		level = slog.LevelInfo
	}
	attrs := []slog.Attr{
		slog.String("method", v.r.Method), slog.String("path", path), slog.Int("status", status), slog.Duration("took", took),
		slog.Int("accepted", v.accepted), slog.Int("duplicate", v.duplicate), slog.Int("rejected", v.rejected),
	}
	if v.source != nil {
		attrs = append(attrs, slog.String("workspace", v.source.workspace), slog.String("source", v.source.rules.Source))
	}
	d.deps.Log.LogAttrs(v.r.Context(), level, "request", attrs...)
}
