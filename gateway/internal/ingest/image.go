package ingest

import (
	"context"

	"github.com/sojournhq/sojourn/internal/domain/call"

	"github.com/sojournhq/sojourn/gateway/internal/ingest/pixel"
	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

// imageTypes are the types of calls that an image may stand for.
var imageTypes = []call.Type{call.Identify, call.Group, call.Alias, call.Page, call.Screen, call.Track}

// loadImage answers an image that stands for a call. Whoever sees the image can do nothing about an error, so the answer is always the
// image with 200: what became of the call, the status in logs and metrics says, and the books. Nobody sends an image again, so this is
// the one answer of 200 that does not promise that the call is stored.
func (d *Door) loadImage(v *visit, t call.Type) answer {
	a := d.takeImage(v, t)
	a.image, a.header = true, uncached()
	return a
}

func (d *Door) takeImage(v *visit, t call.Type) answer {
	ctx, cancel := context.WithDeadline(v.r.Context(), v.received.Add(d.config.Deadline))
	defer cancel()
	body, key, problem := pixel.Call(v.r.URL.RawQuery)
	if a, ok := d.admitImage(v, key, body); !ok && (problem == nil || key != "") {
		return a
	}
	if err := v.enter(); err != nil {
		return d.failure(ctx, err)
	}
	if a, ok := checkSignature(v, body, problem); !ok {
		return a
	}
	if problem != nil {
		return d.refuseAll(ctx, v, &segment.Rejection{
			Problem: *problem, Type: t.String(), Fingerprint: segment.FingerprintOfRaw(t.String(), []byte(v.r.URL.RawQuery)), Raw: body,
		})
	}
	if err := v.pass.Work(ctx, len(body)); err != nil {
		return d.failure(ctx, err)
	}
	// An image cannot tell the time of its loading, which is when the call is made.
	return d.takeOne(ctx, v, body, &segment.Options{Rules: v.source.rules, Type: t, Received: v.received, AtReceipt: true})
}

// admitImage finds the source by the key beside the call, or by the one in it.
func (d *Door) admitImage(v *visit, key string, body []byte) (answer, bool) {
	if key != "" {
		return d.admit(v, key)
	}
	return d.admitByBody(v, body)
}
