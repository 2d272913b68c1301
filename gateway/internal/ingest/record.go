package ingest

import (
	"context"

	"github.com/sojournhq/sojourn/internal/domain/call"

	"github.com/sojournhq/sojourn/gateway/internal/fanout"
	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

// item is one call of a request and what became of it.
type item struct {
	parsed    segment.Parsed
	rejection *segment.Rejection // not nil: the call was refused
	outcome   call.Outcome
}

func parse(raw []byte, o *segment.Options) item {
	parsed, rejection := segment.Parse(raw, o)
	return item{parsed: parsed, rejection: rejection}
}

// record makes the calls of a request durable, counts those refused, and notes in each item what became of it.
func (d *Door) record(ctx context.Context, v *visit, items []item) error {
	if err := v.pass.Spend(len(items)); err != nil {
		return err
	}
	request := fanout.Request{Workspace: v.source.workspace, Source: v.source.rules.Source}
	index := make([]int, 0, len(items)) // of each call in items
	for i := range items {
		if r := items[i].rejection; r != nil {
			request.Rejections = append(request.Rejections, r)
			continue
		}
		request.Calls, index = append(request.Calls, items[i].parsed.Call), append(index, i)
	}
	results, err := d.fanout.Record(ctx, request)
	if err != nil {
		return err
	}
	for i, r := range results {
		items[index[i]].settle(r)
	}
	for i := range items {
		d.count(v, &items[i])
	}
	return nil
}

// settle notes what the services made of a call.
func (it *item) settle(r fanout.Result) {
	it.outcome = r.Outcome
	c := &it.parsed.Call
	switch r.Outcome {
	case call.Conflict:
		it.parsed.Warnings = append(it.parsed.Warnings, segment.Problem{
			Code: "message_id_reused", Field: "messageId",
			Message: "another call with this messageId and timestamp was taken before, and this one dropped: make messageIds unique",
		})
	case call.Invalid:
		it.rejection = &segment.Rejection{
			Problem: segment.Problem{Code: "call_invalid", Message: r.Message}, Type: c.Type.String(), MessageID: c.MessageID,
		}
	case call.Accepted, call.Duplicate, call.Ignored:
	}
}

// count counts an item once everything about it is durable.
func (d *Door) count(v *visit, it *item) {
	typeName, outcome := it.parsed.Call.Type.String(), "accepted"
	switch {
	case it.rejection != nil:
		typeName, outcome = it.rejection.Type, "rejected"
		v.rejected++
	case it.outcome == call.Accepted:
		v.accepted++
	default:
		outcome = "duplicate"
		v.duplicate++
	}
	d.metrics.call(v.source, typeName, outcome)
}
