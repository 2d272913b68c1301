package ingest

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/sojournhq/sojourn/internal/kit/observe"

	"github.com/sojournhq/sojourn/gateway/internal/limit"
)

// visit is one request on its way through the door.
type visit struct {
	w        http.ResponseWriter
	r        *http.Request
	received time.Time
	// source is who sent it, once that is known.
	source *source
	// pass is what the request holds of the limits.
	pass *limit.Pass
	// calls counts what it brought, by what became of it.
	accepted, duplicate, filtered, rejected int
}

// serve answers one request with what handle makes of it, and leaves one line in the log.
func (d *Door) serve(w http.ResponseWriter, r *http.Request, path string, handle func(*visit) answer) {
	r, span := d.begin(w, r, path)
	v := &visit{w: w, r: r, received: time.Now(), pass: d.config.Limits.Arrive(r.RemoteAddr)}
	defer v.pass.Leave()
	shareAnswer(w.Header(), r)
	a := d.guard(v, handle)
	v.pass.Done(a.status >= http.StatusInternalServerError)
	a.write(w)
	took := time.Since(v.received)
	d.metrics.request(r.Context(), path, a.status, took)
	d.tellRefused(v, a)
	d.log(v, path, a, took)
	end(span, v, a.status)
}

// guard turns a panic into an answer. The answer is complete before the first byte of it is written, so there is nothing to undo.
func (d *Door) guard(v *visit, handle func(*visit) answer) (a answer) {
	defer func() {
		if p := recover(); p != nil {
			d.deps.Log.ErrorContext(v.r.Context(), "request panicked", observe.Panic(p))
			a = internalError()
		}
	}()
	return handle(v)
}

func (d *Door) log(v *visit, path string, a answer, took time.Duration) {
	level := slog.LevelDebug
	switch {
	case a.shed: // of these there may be thousands a second, and the metrics have them
	case a.status >= http.StatusInternalServerError:
		level = slog.LevelWarn
	case a.status >= http.StatusBadRequest:
		level = slog.LevelInfo
	}
	if !d.deps.Log.Enabled(v.r.Context(), level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("method", v.r.Method), slog.String("path", path), slog.Int("status", a.status), slog.Duration("took", took),
		slog.Int("accepted", v.accepted), slog.Int("duplicate", v.duplicate), slog.Int("filtered", v.filtered),
		slog.Int("rejected", v.rejected),
	}
	if v.source != nil {
		attrs = append(attrs, slog.String("workspace", v.source.workspace), slog.String("source", v.source.rules.Source))
	}
	d.deps.Log.LogAttrs(v.r.Context(), level, "request", attrs...)
}
