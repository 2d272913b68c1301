package ingest

import (
	"context"
	"net/http"
	"time"

	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

// take answers a request for one of the routes.
func (d *Door) take(v *visit, rt *route) answer {
	keys, outside := keysOutside(v.r)
	if outside {
		if a, ok := d.admit(v, keys...); !ok {
			return a
		}
	}
	if err := v.enter(); err != nil {
		return d.failure(v.r.Context(), err)
	}
	// One deadline for everything, reading included: Segment stops waiting five seconds after it began to send.
	deadline := v.received.Add(d.config.Deadline)
	ctx, cancel := context.WithDeadline(v.r.Context(), deadline)
	defer cancel()
	longest := d.limit(rt)
	// Where it is not supported, the server's own limit holds.
	_ = http.NewResponseController(v.w).SetReadDeadline(d.readDeadline(v, longest))
	body, problem, err := readBody(v.w, v.r, v.pass, longest)
	if shed(err) {
		return d.failure(ctx, err)
	}
	if err != nil {
		return tryAgain("body_incomplete", "the body did not arrive whole and in time: send it again")
	}
	if !outside {
		// The key may stand in what was read; where it does not, what is wrong with the body is the answer, only nobody's books show it.
		if a, ok := d.admitByBody(v, body); !ok && problem == nil {
			return a
		}
		if err := v.enter(); err != nil {
			return d.failure(ctx, err)
		}
	}
	if a, ok := checkSignature(v, body, problem); !ok {
		return a
	}
	if problem != nil {
		return d.refuseAll(ctx, v, &segment.Rejection{
			Problem: *problem, Type: rt.callType.String(), Fingerprint: segment.FingerprintOfRaw(rt.callType.String(), body),
			Raw: body, Encoded: encoded(problem),
		})
	}
	return d.takeBody(ctx, v, rt, body)
}

// readDeadline is until when the body is waited for. One that says itself that it is too long is refused whatever comes of it, and there
// must be time left to count it.
func (d *Door) readDeadline(v *visit, longest int) time.Time {
	if v.r.ContentLength > int64(longest) {
		return v.received.Add(d.config.Deadline / 2)
	}
	return v.received.Add(d.config.Deadline)
}

// limit is how long a body may be.
func (d *Door) limit(rt *route) int {
	switch rt.form {
	case one:
		return d.config.MaxCallBytes
	case batch:
		return d.config.MaxBatchBytes
	default:
		return d.config.MaxDeliveryBytes
	}
}

// takeBody answers with what the body holds: one call or many.
func (d *Door) takeBody(ctx context.Context, v *visit, rt *route, body []byte) answer {
	if err := v.pass.Work(ctx, len(body)); err != nil {
		return d.failure(ctx, err)
	}
	o := segment.Options{Rules: v.source.rules, Type: rt.callType, Received: v.received, Delivered: rt.form == delivery}
	if rt.form == one || rt.form == delivery && !segment.IsArray(body) {
		return d.takeOne(ctx, v, body, &o)
	}
	b, refused := segment.Split(body)
	if refused != nil {
		return d.refuseAll(ctx, v, refused)
	}
	o.Batch = b.Envelope
	calls := make([]item, len(b.Calls))
	for i, raw := range b.Calls {
		calls[i].raw, o.Unsigned = raw, b.Unsigned(i)
		calls[i].parsed, calls[i].rejection = b.Parse(i, &o)
	}
	b.Free()
	if err := d.record(ctx, v, calls); err != nil {
		return d.failure(ctx, err)
	}
	return answerMany(calls, b.Warnings)
}

// takeOne answers with what became of one call.
func (d *Door) takeOne(ctx context.Context, v *visit, raw []byte, o *segment.Options) answer {
	calls := []item{parse(raw, o)}
	if err := d.record(ctx, v, calls); err != nil {
		return d.failure(ctx, err)
	}
	return answerOne(&calls[0])
}

// refuseAll refuses a request as a whole. Where it is known who sent it, it is entered in the books first, as one rejected call.
func (d *Door) refuseAll(ctx context.Context, v *visit, r *segment.Rejection) answer {
	if v.source != nil {
		if err := d.record(ctx, v, []item{{rejection: r}}); err != nil {
			return d.failure(ctx, err)
		}
	}
	a := refusal(statusOf(r.Code), r.Code, r.Message)
	if r.Code == codeEncodingUnsupported {
		a.header = http.Header{"Accept-Encoding": {"gzip, identity"}}
	}
	return a
}
