package gateway

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/workspace"

	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

// Explained is what a body would become if it were sent.
type Explained struct {
	// Calls are those of the body, in order.
	Calls []ExplainedCall `json:"calls"`
	// Rejected says why the body as a whole would be refused; then there are no calls.
	Rejected *ExplainedProblem `json:"rejected,omitempty"`
	// Warnings are about what a batch says for all of its calls.
	Warnings []ExplainedProblem `json:"warnings,omitempty"`
}

// ExplainedCall is what one call would become. Of one that would be rejected there is what was found before that was known.
type ExplainedCall struct {
	Type      string `json:"type"`
	MessageID string `json:"messageId"`
	// Rejected says why the call would be rejected.
	Rejected *ExplainedProblem `json:"rejected,omitempty"`
	// FilteredBy says what leaves the call out: "integrations", or the place of a condition of the source such as "ignore[0]".
	FilteredBy string               `json:"filteredBy,omitempty"`
	Feature    Found                `json:"feature"`
	Module     Found                `json:"module"`
	Account    Found                `json:"account"`
	User       Found                `json:"user"`
	Session    Found                `json:"session"`
	Time       Found                `json:"time"`
	Why        TimeReason           `json:"why,omitempty"` // of the time
	Dimensions []ExplainedDimension `json:"dimensions"`
	// Inactive says that by its context.active the call would move nobody's last seen.
	Inactive bool `json:"inactive,omitempty"`
	// Traits is how many fields the call would set or clear.
	Traits   int                `json:"traits"`
	Warnings []ExplainedProblem `json:"warnings"`
}

// TimeReason says why an event time is what it is: own, mapped, corrected_by_segment, corrected_by_sent_at or clamped_to_receipt.
type TimeReason = segment.TimeReason

// Found is a value and where it was found. Without a value it was not found.
type Found struct {
	Value string `json:"value"`
	// Path is the place in the call; empty: the value is a literal of the mapping.
	Path string `json:"path,omitempty"`
	// Rule is the rule of the source's mapping that says so, such as "module[0]"; empty: it is a default.
	Rule string `json:"rule,omitempty"`
}

// ExplainedDimension is a value for a dimension, as JSON; null if it would be cleared.
type ExplainedDimension struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
	Path  string          `json:"path,omitempty"`
	Rule  string          `json:"rule,omitempty"`
}

// ExplainedProblem is what to fix, with a stable code.
type ExplainedProblem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Field   string `json:"field,omitempty"`
}

// Explanation is how a body is to be explained.
type Explanation struct {
	// Source is the source that the body would be sent to.
	Source *workspace.Source
	// Type is the type that the path of the request would say; 0: the calls say it.
	Type call.Type
	// Received is when the body would arrive.
	Received time.Time
	// MaxCallBytes is how long the JSON of one call may be. 0: the default.
	MaxCallBytes int
}

// Explain says what a body would become: one call, a batch, or an array of calls. It reads it by the very code that takes calls, and sends
// nothing.
func Explain(body []byte, e Explanation) Explained {
	o := segment.Options{
		Rules: segment.RulesOf(e.Source, cmp.Or(e.MaxCallBytes, DefaultMaxCallBytes)), Type: e.Type, Received: e.Received,
	}
	if e.Type != 0 || !segment.IsBatch(body) {
		return Explained{Calls: []ExplainedCall{explainCall(body, &o)}}
	}
	batch, refused := segment.Split(body)
	if refused != nil {
		return Explained{Calls: []ExplainedCall{}, Rejected: explainProblem(refused.Problem)}
	}
	o.Batch = batch.Envelope
	all := Explained{}
	for _, w := range batch.Warnings {
		all.Warnings = append(all.Warnings, *explainProblem(w))
	}
	for i, raw := range batch.Calls {
		o.Unsigned = batch.Unsigned(i)
		all.Calls = append(all.Calls, explainCall(raw, &o))
	}
	return all
}

func explainCall(raw []byte, o *segment.Options) ExplainedCall {
	parsed, rejection, trace := segment.Explain(raw, o)
	c := &parsed.Call
	out := ExplainedCall{
		Type: c.Type.String(), MessageID: c.MessageID, FilteredBy: parsed.FilteredBy, Why: trace.Why,
		Dimensions: []ExplainedDimension{}, Warnings: []ExplainedProblem{},
		Feature: found(c.Feature, trace.Feature), Module: found(c.Module, trace.Module), Account: found(c.AccountID, trace.Account),
		User: found(c.UserID, trace.User), Session: found(c.AnonymousID, trace.Session), Inactive: c.Inactive,
	}
	if rejection != nil {
		out.Type, out.MessageID, out.Rejected = rejection.Type, rejection.MessageID, explainProblem(rejection.Problem)
	} else if parsed.FilteredBy == "" || c.TimeMS != 0 {
		out.Time = found(time.UnixMilli(c.TimeMS).UTC().Format("2006-01-02T15:04:05.000Z"), trace.Time)
	}
	for _, w := range parsed.Warnings {
		out.Warnings = append(out.Warnings, *explainProblem(w))
	}
	for _, t := range c.Traits {
		name, mapped := call.Dimension(t.Path)
		if !mapped {
			out.Traits++
			continue
		}
		from := trace.Dimensions[name]
		out.Dimensions = append(out.Dimensions, ExplainedDimension{name, explainValue(t.Value), from.Path, from.Rule})
	}
	return out
}

func found(value string, from segment.Origin) Found {
	if value == "" {
		return Found{}
	}
	return Found{value, from.Path, from.Rule}
}

func explainProblem(p segment.Problem) *ExplainedProblem {
	return &ExplainedProblem{p.Code, p.Message, p.Field}
}

// explainValue returns a value as JSON.
func explainValue(v call.Value) json.RawMessage {
	switch v.Kind {
	case call.Number, call.Bool, call.JSON:
		return json.RawMessage(v.Text)
	case call.String:
		quoted, err := json.Marshal(v.Text)
		if err != nil {
			// Text can always be encoded.
			panic(fmt.Sprintf("encode text: %v", err))
		}
		return quoted
	case call.Null:
	}
	return json.RawMessage("null")
}
