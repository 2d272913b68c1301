package segment_test

import (
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/call"

	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

const anonymousCall = `{"type":"page","userId":"u","anonymousId":"a","timestamp":"2026-11-01T11:00:00Z","name":"Ho\u006de",` +
	`"properties":{"n":1.0,"b":[2,{"y":1,"x":2}]},"sentAt":"2026-11-01T11:00:01Z","writeKey":"k1"}`

func TestACallWithoutMessageIDGetsOneMadeOfItsContent(t *testing.T) {
	first := parse(t, anonymousCall, strict())
	if !strings.HasPrefix(first.Call.MessageID, "sojourn-") || len(first.Call.MessageID) != len("sojourn-")+32 {
		t.Fatalf("messageId %q", first.Call.MessageID)
	}
	for name, c := range map[string]struct {
		old, new string
		same     bool
	}{
		"sent later":        {`11:00:01Z`, `11:09:09Z`, true},
		"other key":         {`"k1"`, `"k2"`, true},
		"received":          {`"writeKey"`, `"receivedAt":"2026-11-01T11:00:02Z","writeKey"`, true},
		"space":             {`,`, ` , `, true},
		"unescaped":         {`Ho\u006de`, `Home`, true},
		"other order":       {`"y":1,"x":2`, `"x":2,"y":1`, true},
		"other number text": {`1.0`, `1.00`, false},
		"other user":        {`"u"`, `"v"`, false},
		"other time":        {`11:00:00Z`, `11:00:00.5Z`, false},
		"other type":        {`"page"`, `"screen"`, false},
		"placeholder as id": {`"name"`, `"messageId":"","name"`, false},
	} {
		second := parse(t, strings.ReplaceAll(anonymousCall, c.old, c.new), strict())
		if same := second.Call.MessageID == first.Call.MessageID; same != c.same {
			t.Errorf("%s: same messageId is %v, want %v", name, same, c.same)
		}
	}
}

func TestTheTypeMayStandInThePathForTheSameMessageID(t *testing.T) {
	o := strict()
	o.Type = call.Page
	inBody, inPath := parse(t, anonymousCall, strict()), parse(t, strings.Replace(anonymousCall, `"type":"page",`, "", 1), o)
	if inBody.Call.MessageID != inPath.Call.MessageID {
		t.Errorf("%s in the body, %s in the path", inBody.Call.MessageID, inPath.Call.MessageID)
	}
}

func TestAnIntegerMessageIDIsItsText(t *testing.T) {
	if got := parse(t, with(map[string]any{"messageId": 42}), strict()); got.Call.MessageID != "42" {
		t.Errorf("messageId %q", got.Call.MessageID)
	}
}

func TestTheFingerprintOfARejectionStaysTheSameWhenItIsSentAgain(t *testing.T) {
	fingerprint := func(text string) segment.Fingerprint {
		t.Helper()
		_, rejection := segment.Parse([]byte(text), strict())
		if rejection == nil {
			t.Fatal("not rejected")
		}
		return rejection.Fingerprint
	}
	first := fingerprint(with(map[string]any{"event": nil, "sentAt": "2026-11-01T11:00:00Z"}))
	if again := fingerprint(with(map[string]any{"event": nil, "sentAt": "2026-11-01T11:20:00Z"})); again != first {
		t.Error("another sentAt gives another fingerprint")
	}
	if other := fingerprint(with(map[string]any{"event": nil, "userId": "other"})); other == first {
		t.Error("another user gives the same fingerprint")
	}
	for _, pair := range [][2]string{
		{`{"a":1,"a":2}`, `{"a":1,"a":3}`}, {`{"type":"track"`, `{"type":"group"`}, {`{} x`, `{} y`}, {``, ` `},
	} {
		if fingerprint(pair[0]) == fingerprint(pair[1]) {
			t.Errorf("%q and %q, which cannot be read, have one fingerprint", pair[0], pair[1])
		}
	}
	for _, text := range []string{`{`, `{"a":1,"a":2}`, `{"event":1}`} {
		seen := map[segment.Fingerprint]call.Type{}
		for kind := range call.Delete {
			o := strict()
			o.Type = kind + 1
			_, rejection := segment.Parse([]byte(text), o)
			if rejection == nil {
				t.Fatalf("%s: not rejected", text)
			}
			if other, ok := seen[rejection.Fingerprint]; ok {
				t.Errorf("%s has one fingerprint as %v and as %v, but is counted under both", text, other, o.Type)
			}
			seen[rejection.Fingerprint] = o.Type
		}
	}
}
