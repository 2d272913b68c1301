package ingest

import (
	"errors"
	"math"
	"net/http"
	"strconv"

	"github.com/sojournhq/sojourn/gateway/internal/limit"
)

// enter takes a place for the request: at its source, if that is known.
func (v *visit) enter() error {
	if v.source == nil {
		return v.pass.EnterUnknown()
	}
	return v.pass.Enter(v.source.limits)
}

// shed says whether err is that of a limit.
func shed(err error) bool {
	var refused *limit.RefusedError
	return errors.As(err, &refused)
}

// shedding answers a request that a limit refused. It is in no books: its sender is to send it again.
func shedding(err error) answer {
	var refused *limit.RefusedError
	errors.As(err, &refused)
	after := strconv.Itoa(int(math.Ceil(refused.After.Seconds())))
	a := refusal(http.StatusTooManyRequests, refused.Code, refused.Message)
	// The second is what Segment says it with; both are in seconds.
	a.header = http.Header{"Retry-After": {after}, "X-Ratelimit-Reset": {after}}
	if refused.Overloaded {
		a.status, a.header = http.StatusServiceUnavailable, http.Header{"Retry-After": {after}}
	}
	a.shed = true
	return a
}
