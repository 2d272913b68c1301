package fanout

import (
	"context"
	"fmt"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/callproto"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"

	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

// maxBody is how much of what was refused is kept; identity would cut the rest.
const maxBody = 32 << 10

// toIdentity returns what identity is told of the parts of requests of one workspace. All of it counts as received when the last was.
func toIdentity(parts []*part) *identityv1.RecordCallsRequest {
	calls := 0
	for _, p := range parts {
		calls += len(p.request.Calls)
	}
	m := &identityv1.RecordCallsRequest{Workspace: parts[0].request.Workspace, Calls: make([]*segmentv1.Call, 0, calls)}
	memory := make([]segmentv1.Call, calls)
	for _, p := range parts {
		r := &p.request
		m.ReceivedMs = max(m.GetReceivedMs(), r.Received.UnixMilli())
		for i := range r.Calls {
			to := &memory[0]
			memory = memory[1:]
			callproto.Fill(to, &r.Calls[i].Call)
			add(m, to, &r.Calls[i])
		}
		for _, x := range r.Rejections {
			m.Rejections = append(m.Rejections, toRejection(r.Source, x))
		}
	}
	return m
}

// add adds a call, which is also given as a message, to what identity is told.
func add(m *identityv1.RecordCallsRequest, to *segmentv1.Call, c *Call) {
	warnings := toWarnings(c.Warnings)
	if c.Filtered() {
		m.Filtered = append(m.Filtered, &identityv1.FilteredCall{Call: to, Warnings: warnings})
		return
	}
	if len(warnings) > 0 {
		m.Warnings = append(m.Warnings, &identityv1.CallWarnings{Index: int32(len(m.GetCalls())), Warnings: warnings})
	}
	m.Calls = append(m.Calls, to)
}

func toWarnings(warnings []segment.Problem) (all []*identityv1.Warning) {
	for _, w := range warnings {
		all = append(all, &identityv1.Warning{Code: w.Code, Field: w.Field})
	}
	return all
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

// refuse has identity count calls that it took, and another service did not, as rejected, and notes in their results that they are. Refused
// and results are by the index among the calls of all parts.
func (f *Fanout) refuse(ctx context.Context, parts []*part, refused map[int]string, results []Result) error {
	if len(refused) == 0 {
		return nil
	}
	request := &identityv1.RecordCallsRequest{Workspace: parts[0].request.Workspace}
	var indexes []int
	i := 0
	for _, p := range parts {
		request.ReceivedMs = max(request.GetReceivedMs(), p.request.Received.UnixMilli())
		for k := range p.request.Calls {
			if message, ok := refused[i]; ok {
				indexes = append(indexes, i)
				request.Rejections = append(request.Rejections, refusal(p.request.Source, &p.request.Calls[k], message))
			}
			i++
		}
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

// refusal returns the rejection of a call that was taken before.
func refusal(source string, c *Call, message string) *identityv1.Rejection {
	rejection := toRejection(source, &segment.Rejection{
		Problem: segment.Problem{Code: segment.CodeCallInvalid, Message: message}, Type: c.Call.Type.String(),
		MessageID: c.Call.MessageID, UserID: c.Call.UserID, TimeMS: c.Call.TimeMS,
		Fingerprint: segment.FingerprintOfCall(c.Call.Type.String(), c.Raw), Raw: c.Raw,
	})
	rejection.AcceptedOriginalTimeMs = &c.Call.OriginalMS
	return rejection
}
