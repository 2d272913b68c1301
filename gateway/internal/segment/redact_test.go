package segment_test

import (
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

func TestTheWriteKeyIsNoPartOfWhatIsKept(t *testing.T) {
	for raw, want := range map[string]string{
		`{"writeKey":"secret","event":""}`:                                   `{"writeKey":"***","event":""}`,
		"{\"writeKey\" :\n\"sec\\\"ret\", \"batch\":[{\"writeKey\":\"b":      "{\"writeKey\" :\n\"***\", \"batch\":[{\"writeKey\":\"***",
		`{"write\u004bey":"secret","\u0077riteKey":"secret","x":"\u004bey"}`: `{"write\u004bey":"***","\u0077riteKey":"***","x":"\u004bey"}`,
		`{"write\u004Bey":"secret`:                                           `{"write\u004Bey":"***`,
		`{"event":"writeKey"}`:                                               `{"event":"writeKey"}`,
		`{"writeKey":1}`:                                                     `{"writeKey":1}`,
		``:                                                                   ``,
	} {
		if got := string(segment.WithoutKey([]byte(raw))); got != want {
			t.Errorf("%s became %s, want %s", raw, got, want)
		}
	}
}

func TestNothingIsKeptOfWhatIsEncoded(t *testing.T) {
	const body = `{"writeKey":"secret"}`
	little, big := strings.Join(strings.Split(body, ""), "\x00")+"\x00", "\x00"+strings.Join(strings.Split(body, ""), "\x00")
	for name, r := range map[string]segment.Rejection{
		"gzip": {Raw: []byte("\x1f\x8b\x08secret")}, "said to be": {Raw: []byte(body), Encoded: true},
		"UTF-16": {Raw: []byte(little)}, "UTF-16 the other way round": {Raw: []byte(big)},
		"UTF-16 with a mark": {Raw: []byte("\xff\xfe" + little)}, "UTF-16 with the other": {Raw: []byte("\xfe\xff" + big)},
	} {
		if got := r.Kept(); got != nil {
			t.Errorf("%s: %q", name, got)
		}
	}
	if r := (segment.Rejection{Raw: []byte(body)}); string(r.Kept()) != `{"writeKey":"***"}` {
		t.Errorf("%q", r.Kept())
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
