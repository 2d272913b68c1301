package segment_test

import (
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/call"

	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

func TestACallIsInactiveIfItsContextOrThatOfItsBatchSaysSo(t *testing.T) {
	for _, c := range []struct {
		own, batch string // contexts
		want       bool
	}{
		{`{"active":false}`, ``, true},
		{`{ "ip":"::1", "active" : false }`, ``, true},
		{``, `{"active":false}`, true},
		{`{"ip":"::1"}`, `{"active":false}`, true},
		{`{"active":false}`, `{"active":true}`, true},
		{`[]`, `{"active":false}`, true}, // a context that is none is as if absent
		{`null`, `{"active":false}`, true},

		{``, ``, false},
		{`{}`, ``, false},
		{`{"active":true}`, ``, false},
		{`{"active":true}`, `{"active":false}`, false},
		{`{"active":null}`, `{"active":false}`, false},
		{`{"active":"false"}`, ``, false},
		{`{"active":0}`, ``, false},
		{`{"active":[false]}`, ``, false},
		{`{"active":{"active":false}}`, ``, false},
		{`{"Active":false}`, ``, false},
		{`{"device":{"active":false}}`, ``, false},
		{`false`, ``, false},
	} {
		for kind := call.Track; kind <= call.Alias; kind++ {
			// A key with an escape has a call read the long way.
			for _, more := range []string{``, `,"\u0078":1`} {
				if got := inactive(t, kind, c.own, c.batch, more); got != c.want {
					t.Errorf("%v with the context %q in a batch with %q%s: inactive %v", kind, c.own, c.batch, more, got)
				}
			}
		}
	}
}

// inactive says whether a call alone is, or if its batch has a context, within one.
func inactive(t *testing.T, kind call.Type, own, batch, more string) bool {
	t.Helper()
	text := `{"type":"` + kind.String() + `","messageId":"m","timestamp":"2026-11-01T10:00:00Z","anonymousId":"s","userId":"u",` +
		`"groupId":"g","previousId":"p","event":"E"` + more
	if own != "" {
		text += `,"context":` + own
	}
	text += `}`
	o := strict()
	parsed, rejection := segment.Parse([]byte(text), o)
	if batch != "" {
		b, refused := segment.Split([]byte(`{"context":` + batch + `,"batch":[` + text + `]` + strings.Replace(more, "x", "y", 1) + `}`))
		if refused != nil {
			t.Fatal(refused.Message)
		}
		defer b.Free()
		o.Batch = b.Envelope
		parsed, rejection = b.Parse(0, o)
	}
	if rejection != nil {
		t.Fatalf("%s: %s", text, rejection.Message)
	}
	return parsed.Call.Inactive
}

func TestWhetherACallIsActiveIsNoContent(t *testing.T) {
	plain := parse(t, with(nil), strict())
	inactive := parse(t, with(map[string]any{"context": map[string]any{"active": false}}), strict())
	if !inactive.Call.Inactive || inactive.Call.Fingerprint() != plain.Call.Fingerprint() {
		t.Errorf("%+v and %+v are told apart", plain.Call, inactive.Call)
	}
}
