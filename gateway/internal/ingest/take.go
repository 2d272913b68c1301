package ingest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

// take answers a request for one of the routes.
func (d *Door) take(v *visit, rt *route) answer {
	if v.r.Method != http.MethodPost {
		a := refusal(http.StatusMethodNotAllowed, "method_not_allowed", "calls are sent with POST")
		a.header = http.Header{"Allow": {http.MethodPost}}
		return a
	}
	if e := v.r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return refusal(http.StatusUnsupportedMediaType, "encoding_unsupported",
			"content-encoding is not supported: send the body uncompressed")
	}
	key, inHeader := basicKey(v.r)
	if inHeader {
		if v.source, _ = d.sources().Find(key); v.source == nil {
			return unknownKey()
		}
	}
	if err := v.enter(); err != nil {
		return d.failure(v.r.Context(), err)
	}
	// One deadline for everything, reading included: Segment stops waiting five seconds after it began to send.
	deadline := v.received.Add(d.config.Deadline)
	ctx, cancel := context.WithDeadline(v.r.Context(), deadline)
	defer cancel()
	_ = http.NewResponseController(v.w).SetReadDeadline(deadline) // where it is not supported, the server's own limit holds
	body, err := v.pass.ReadAll(http.MaxBytesReader(v.w, v.r.Body, int64(d.limit(rt))))
	if shed(err) {
		return d.failure(ctx, err)
	}
	var tooLarge *http.MaxBytesError
	if err != nil && !errors.As(err, &tooLarge) {
		return tryAgain("body_incomplete", "the body did not arrive whole and in time: send it again")
	}
	if err != nil {
		if !inHeader {
			// The key may stand in what was read; where it does not, the answer is the same, only nobody's books show it.
			_, _ = d.sourceInBody(v, body)
		}
		return d.refuseAll(ctx, v, &segment.Rejection{
			Problem: segment.Problem{
				Code: bodyTooLarge, Message: fmt.Sprintf("the body is longer than %d bytes: send less at once", d.limit(rt)),
			},
			Type:        rt.callType.String(),
			Fingerprint: segment.FingerprintOf(body),
		})
	}
	if !inHeader {
		if a, ok := d.sourceInBody(v, body); !ok {
			return a
		}
		if err := v.enter(); err != nil {
			return d.failure(ctx, err)
		}
	}
	return d.takeBody(ctx, v, rt, body)
}

func (d *Door) limit(rt *route) int {
	if rt.form == one {
		return d.config.MaxCallBytes
	}
	return d.config.MaxBatchBytes
}

// sourceInBody finds the source by the write key in the body. It returns the answer to give when there is none.
func (d *Door) sourceInBody(v *visit, body []byte) (answer, bool) {
	key, err := segment.WriteKey(body)
	if v.source, _ = d.sources().Find(key); v.source != nil {
		return answer{}, true
	}
	if err != nil {
		// Nobody can be told to fix a key in a body that cannot be read.
		return refusal(http.StatusBadRequest, err.Code, err.Message), false
	}
	return unknownKey(), false
}

// takeBody answers with what the body holds: one call or many.
func (d *Door) takeBody(ctx context.Context, v *visit, rt *route, body []byte) answer {
	if err := v.pass.Work(ctx, len(body)); err != nil {
		return d.failure(ctx, err)
	}
	o := segment.Options{Rules: v.source.rules, Type: rt.callType, Received: v.received}
	if rt.form == one || rt.form == oneOrMany && !segment.IsArray(body) {
		calls := []item{parse(body, &o)}
		if err := d.record(ctx, v, calls); err != nil {
			return d.failure(ctx, err)
		}
		return answerOne(&calls[0])
	}
	b, refused := segment.Split(body)
	if refused != nil {
		return d.refuseAll(ctx, v, refused)
	}
	o.Batch = b.Envelope
	calls := make([]item, len(b.Calls))
	for i, raw := range b.Calls {
		calls[i] = parse(raw, &o)
	}
	if err := d.record(ctx, v, calls); err != nil {
		return d.failure(ctx, err)
	}
	return answerMany(calls)
}

// refuseAll refuses a request as a whole. Where it is known who sent it, it is entered in the books first, as one rejected call.
func (d *Door) refuseAll(ctx context.Context, v *visit, r *segment.Rejection) answer {
	if v.source != nil {
		if err := d.record(ctx, v, []item{{rejection: r}}); err != nil {
			return d.failure(ctx, err)
		}
	}
	return refusal(statusOf(r.Code), r.Code, r.Message)
}
