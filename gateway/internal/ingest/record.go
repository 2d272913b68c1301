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
	raw       []byte
	rejection *segment.Rejection // not nil: the call was refused
	repeated  bool               // it was refused before
	outcome   call.Outcome
}

func parse(raw []byte, o *segment.Options) item {
	parsed, rejection := segment.Parse(raw, o)
	return item{parsed: parsed, raw: raw, rejection: rejection}
}

// record makes the calls of a request durable, counts those refused, and notes in each item what became of it.
//
// Once begun it goes on when the sender has gone, until the deadline. Browsers break off what they sent when a page goes, and may never
// send it again: what identity has in its books by then would be missing from the other services for good.
func (d *Door) record(ctx context.Context, v *visit, items []item) error {
	if err := v.pass.Spend(len(items)); err != nil {
		return err
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), v.received.Add(d.config.Deadline))
	defer cancel()
	settled := false
	defer d.metrics.balance.receive(v.source, len(items))(&settled)
	request := fanout.Request{Workspace: v.source.workspace, Source: v.source.rules.Source, Received: v.received}
	calls, refused := make([]int, 0, len(items)), []int(nil) // where each stands in items
	request.Calls = make([]fanout.Call, 0, len(items))
	for i := range items {
		if r := items[i].rejection; r != nil {
			request.Rejections, refused = append(request.Rejections, r), append(refused, i)
			continue
		}
		request.Calls, calls = append(request.Calls, fanout.Call{Parsed: items[i].parsed, Raw: items[i].raw}), append(calls, i)
	}
	recorded, err := d.fanout.Record(ctx, request)
	if err != nil {
		return err
	}
	for i, r := range recorded.Results {
		items[calls[i]].settle(r)
	}
	for i, repeated := range recorded.Repeated {
		items[refused[i]].repeated = repeated
	}
	settled = true
	for i := range items {
		d.count(v, &items[i])
	}
	d.tell(ctx, v, noticesOf(items))
	return nil
}

// settle notes what the services made of a call.
func (it *item) settle(r fanout.Result) {
	it.outcome = r.Outcome
	c := &it.parsed.Call
	switch r.Outcome {
	case call.Conflict:
		it.parsed.Warnings = append(it.parsed.Warnings, segment.Problem{
			Code: codeReused, Field: "messageId",
			Message: "another call with this messageId and timestamp was taken before, and this one dropped: make messageIds unique",
		})
	case call.Invalid:
		it.repeated = r.Repeated
		it.rejection = &segment.Rejection{
			Problem: segment.Problem{Code: segment.CodeCallInvalid, Message: r.Message}, Type: c.Type.String(), MessageID: c.MessageID,
		}
	case call.Accepted, call.Duplicate, call.Ignored:
	}
}

// codeReused is the code of the warning that a call was dropped because another one has its identity.
const codeReused = "message_id_reused"

// count counts an item, as the books do, once everything about it is durable.
func (d *Door) count(v *visit, it *item) {
	typeName, outcome, reason := it.parsed.Call.Type.String(), accepted, ""
	if it.rejection != nil {
		typeName, reason = it.rejection.Type, it.rejection.Code
	}
	switch {
	case it.parsed.Filtered():
		outcome = filtered
		v.filtered++
	case it.repeated:
		outcome = duplicate
		v.duplicate++
	case it.rejection != nil:
		outcome = rejectedOutcome
		v.rejected++
	case it.outcome == call.Accepted:
		v.accepted++
	default:
		outcome = duplicate
		v.duplicate++
		if it.outcome == call.Conflict {
			reason = codeReused
		}
	}
	d.metrics.call(v.source, typeName, outcome, reason)
}
