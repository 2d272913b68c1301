package query

import (
	"context"
	"net/http"
	"time"
)

// timeoutsKey is where withTimeouts leaves the timeouts in the context.
type timeoutsKey struct{}

// withTimeouts lets those who answer a request move the write timeout of the HTTP server, which knows only one size. Its read timeout is
// over when the request has been read.
func withTimeouts(sendTime time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithValue(r.Context(), timeoutsKey{}, timeouts{http.NewResponseController(w), sendTime})
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// timeouts are those of one request. Without a controller they do nothing.
type timeouts struct {
	of       *http.ResponseController
	sendTime time.Duration
}

func timeoutsOf(ctx context.Context) timeouts {
	t, _ := ctx.Value(timeoutsKey{}).(timeouts)
	return t
}

// answer leaves an answer that is there at the deadline the time to be sent.
func (t timeouts) answer(deadline time.Time) { t.set(deadline.Add(t.sendTime)) }

// send gives the next message its time.
func (t timeouts) send() { t.set(time.Now().Add(t.sendTime)) }

// wait lets the client wait for ever.
func (t timeouts) wait() { t.set(time.Time{}) }

func (t timeouts) set(until time.Time) {
	if t.of != nil {
		_ = t.of.SetWriteDeadline(until) // what it cannot be set for is no network, and has no timeout
	}
}
