package segment_test

import (
	"testing"

	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

func TestTheWriteKeyIsNoPartOfWhatIsKept(t *testing.T) {
	for raw, want := range map[string]string{
		`{"writeKey":"secret","event":""}`:                              `{"writeKey":"***","event":""}`,
		"{\"writeKey\" :\n\"sec\\\"ret\", \"batch\":[{\"writeKey\":\"b": "{\"writeKey\" :\n\"***\", \"batch\":[{\"writeKey\":\"***",
		`{"event":"writeKey"}`:                                          `{"event":"writeKey"}`,
		`{"writeKey":1}`:                                                `{"writeKey":1}`,
		``:                                                              ``,
	} {
		if got := string(segment.WithoutKey([]byte(raw))); got != want {
			t.Errorf("%s became %s, want %s", raw, got, want)
		}
	}
}

func TestARejectionTellsWhatCouldBeReadOfTheCall(t *testing.T) {
	raw := `{"type":"track","messageId":"m","anonymousId":"a","userId":" u ","timestamp":"2026-10-01T11:59:00Z"`
	for name, body := range map[string]string{
		"no event": raw + `}`, "JSON that ends early": raw + `,"event":"E`, "a key that stands twice": raw + `,"x":1,"x":1}`,
		"another id that is wrong": raw + `,"event":"E","groupId":{}}`,
	} {
		_, r := segment.Parse([]byte(body), strict())
		if r == nil {
			t.Errorf("%s: taken", name)
			continue
		}
		if r.MessageID != "m" || r.UserID != "u" || r.TimeMS == 0 || r.Type != "track" || string(r.Raw) != body {
			t.Errorf("%s: %+v", name, r)
		}
	}
	for name, body := range map[string]string{"nothing": ``, "no object": `[1]`, "no time": `{"type":"track","timestamp":"soon","userId":{}}`} {
		if _, r := segment.Parse([]byte(body), strict()); r == nil || r.UserID != "" || r.TimeMS != 0 {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
