package fanout

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/callproto"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"

	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

// maxBody is how much of what was refused is kept; identity would cut the rest.
const maxBody = 32 << 10

// toIdentity returns what identity is told of a request.
func toIdentity(r *Request) *identityv1.RecordCallsRequest {
	m := &identityv1.RecordCallsRequest{
		Workspace: r.Workspace, ReceivedMs: r.Received.UnixMilli(), Calls: make([]*segmentv1.Call, len(r.Calls)),
	}
	for i := range r.Calls {
		c := &r.Calls[i]
		m.Calls[i] = callproto.FromCall(&c.Call)
		if len(c.Warnings) == 0 {
			continue
		}
		warnings := &identityv1.CallWarnings{Index: int32(i)}
		for _, w := range c.Warnings {
			warnings.Warnings = append(warnings.Warnings, &identityv1.Warning{Code: w.Code, Field: w.Field})
		}
		m.Warnings = append(m.Warnings, warnings)
	}
	for _, x := range r.Rejections {
		m.Rejections = append(m.Rejections, toRejection(r.Source, x))
	}
	return m
}

func toRejection(source string, x *segment.Rejection) *identityv1.Rejection {
	body := x.Kept()
	size := len(body)
	if body == nil {
		size = len(x.Raw) // how long it was is all that can be told
	}
	return &identityv1.Rejection{
		Source: source, Type: x.Type, Code: x.Code, Message: x.Message, Field: x.Field, Fingerprint: x.Fingerprint[:],
		MessageId: x.MessageID, UserId: x.UserID, TimeMs: x.TimeMS,
		Body: body[:min(len(body), maxBody)], BodyBytes: int64(size),
	}
}

// repeatedOf says for each rejection of a request whether it was a duplicate.
func repeatedOf(resp *identityv1.RecordCallsResponse, want int) ([]bool, error) {
	if got := len(resp.GetRejections()); got != want {
		return nil, fmt.Errorf("identity: %d results for %d rejections", got, want)
	}
	repeated := make([]bool, want)
	for i, r := range resp.GetRejections() {
		repeated[i] = r.GetDuplicate()
	}
	return repeated, nil
}

// refuse has identity count calls that it took, and another service did not, as rejected, and notes in their results that they are.
func (f *Fanout) refuse(ctx context.Context, r *Request, refused map[int]string, results []Result) error {
	if len(refused) == 0 {
		return nil
	}
	request := &identityv1.RecordCallsRequest{Workspace: r.Workspace, ReceivedMs: r.Received.UnixMilli()}
	indexes := slices.Sorted(maps.Keys(refused))
	for _, i := range indexes {
		c := &r.Calls[i]
		rejection := toRejection(r.Source, &segment.Rejection{
			Problem: segment.Problem{Code: segment.CodeCallInvalid, Message: refused[i]}, Type: c.Call.Type.String(),
			MessageID: c.Call.MessageID, UserID: c.Call.UserID, TimeMS: c.Call.TimeMS,
			Fingerprint: segment.FingerprintOfCall(c.Call.Type.String(), c.Raw), Raw: c.Raw,
		})
		rejection.AcceptedOriginalTimeMs = &c.Call.OriginalMS
		request.Rejections = append(request.Rejections, rejection)
	}
	resp, err := f.identity.RecordCalls(ctx, request)
	if err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	repeated, err := repeatedOf(resp, len(indexes))
	if err != nil {
		return err
	}
	for k, i := range indexes {
		results[i] = Result{Outcome: call.Invalid, Message: refused[i], Repeated: repeated[k]}
	}
	return nil
}
