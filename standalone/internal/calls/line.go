package calls

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
)

// line is what is printed of a call as JSON. Keys are named as in Segment's calls where they stand there.
type line struct {
	Received    string         `json:"received"`
	Source      string         `json:"source"`
	Type        string         `json:"type"`
	Outcome     string         `json:"outcome,omitempty"`
	MessageID   string         `json:"messageId"`
	Time        string         `json:"time,omitempty"`
	AnonymousID string         `json:"anonymousId,omitempty"`
	UserID      string         `json:"userId"`
	AccountID   string         `json:"accountId,omitempty"`
	PreviousID  string         `json:"previousId,omitempty"`
	Module      string         `json:"module,omitempty"`
	Feature     string         `json:"feature,omitempty"`
	Inactive    bool           `json:"inactive,omitempty"`
	Traits      map[string]any `json:"traits,omitempty"`
	Warnings    []warning      `json:"warnings,omitempty"`
	Rejection   *rejection     `json:"rejection,omitempty"`
}

type warning struct {
	Code  string `json:"code"`
	Field string `json:"field"`
}

type rejection struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Field   string `json:"field"`
	// Times is how often it came, where that is known.
	Times int64 `json:"times,omitempty"`
	// Repeated says that the same was refused before.
	Repeated bool `json:"repeated,omitempty"`
	// Body is what was sent, or its beginning; in base64 where it is no text.
	Body       string `json:"body,omitempty"`
	BodyBase64 string `json:"bodyBase64,omitempty"`
	BodyBytes  int64  `json:"bodyBytes"`
}

// missed is printed where calls were missed.
type missed struct {
	Missed int64 `json:"missed"`
}

func lineOf(c *identityv1.ReceivedCall) line {
	if r := c.GetRejected(); r != nil {
		out := rejectedLine(r)
		out.Outcome, out.Rejection.Repeated = outcomeOf(c.GetOutcome()), c.GetRepeatedRejection()
		return out
	}
	m := c.GetCall()
	out := line{
		Received: clock(c.GetReceived().AsTime()), Source: c.GetSource(), Type: c.GetType(), Outcome: outcomeOf(c.GetOutcome()),
		MessageID: m.GetMessageId(), Time: clock(time.UnixMilli(m.GetTimeMs())), AnonymousID: m.GetAnonymousId(), UserID: m.GetUserId(),
		AccountID: m.GetAccountId(), PreviousID: m.GetPreviousId(), Module: m.GetModule(), Feature: m.GetFeature(),
		Inactive: m.GetInactive(), Traits: traitsOf(m),
	}
	for _, w := range c.GetWarnings() {
		out.Warnings = append(out.Warnings, warning{w.GetCode(), w.GetField()})
	}
	return out
}

func rejectedLine(r *identityv1.RejectedCall) line {
	out := line{
		Received: clock(r.GetReceived().AsTime()), Source: r.GetSource(), Type: r.GetType(),
		MessageID: r.GetMessageId(), UserID: r.GetUserId(),
		Rejection: &rejection{
			Code: r.GetCode(), Message: r.GetMessage(), Field: r.GetField(), Times: r.GetTimes(), BodyBytes: r.GetBodyBytes(),
		},
	}
	if body := r.GetBody(); utf8.Valid(body) {
		out.Rejection.Body = string(body)
	} else {
		out.Rejection.BodyBase64 = base64.StdEncoding.EncodeToString(body)
	}
	return out
}

// outcomeOf is an outcome as the command line and the metrics call it.
func outcomeOf(o identityv1.CallOutcome) string {
	return strings.ToLower(strings.TrimPrefix(o.String(), "CALL_OUTCOME_"))
}

// traitsOf returns traits by their paths.
func traitsOf(m *segmentv1.Call) map[string]any {
	traits := make(map[string]any, len(m.GetTraits()))
	for _, t := range m.GetTraits() {
		switch v := t.GetValue().GetKind().(type) {
		case *segmentv1.Value_String_:
			traits[t.GetPath()] = v.String_
		case *segmentv1.Value_Number:
			traits[t.GetPath()] = json.Number(v.Number)
		case *segmentv1.Value_Boolean:
			traits[t.GetPath()] = v.Boolean
		case *segmentv1.Value_Json:
			traits[t.GetPath()] = json.RawMessage(v.Json)
		default:
			traits[t.GetPath()] = nil
		}
	}
	return traits
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
