package segment_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

func TestWhatIsSentUsuallyGoesTheShortWayAndWhatIsSpoiledTheLong(t *testing.T) {
	for _, text := range []string{
		with(nil), delivered["track"], delivered["identify"], " \t\r\n" + with(nil) + "\n", `{"a":[{},[],"",0,-0.5e+7,1E9,true,false,null,"ä€😀\u00e4\"\/\b"]}`,
		`{"` + strings.Repeat("long name ", 20) + `":"` + strings.Repeat("long text ", 20) + `","":1,"b":"` + strings.Repeat("ä", 20) + `"}`, nested(64),
	} {
		if !segment.Outlined([]byte(text)) {
			t.Errorf("the long way: %s", text)
		}
	}
	for text := range spoiled() {
		if segment.Outlined([]byte(text)) && !segment.Strict([]byte(text)) {
			t.Errorf("the short way: %s", text)
		}
	}
	for _, text := range []string{
		``, ` `, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{,}`, `[1,]`, `[`, `[1`, `[1 2]`, `{"a" 1}`, `{"a":1 "b":2}`, `{a:1}`, `{1:1}`,
		`01`, `-`, `1.`, `.5`, `1e`, `1e+`, `+1`, `0x1`, `nul`, `truey`, `NaN`, `"`, `"\"`, `"\x"`, `"\u12"`, `"\u12g4"`, `"\ud800"`, `"\udc00\ud800"`,
		"\"\x1f\"", "\"\x00\"", "\"12345678\x1f\"", "\"1234567\xff\"", "\"\xc0\x80\"", "\x00", "{}\x00", "1 1", `{"a":1,"a":2}`, `{"":1,"":2}`, nested(65),
		`{"bb":0,"a":[{"x":1,"x":2}]}`, "\ufeff{}", `{"a":1,"` + strings.Repeat("b", 30) + `":1,"` + strings.Repeat("b", 30) + `":1}`, `/**/{}`, `'a'`,
		"\"\u2028\xed\xa0\x80\"",
	} {
		if segment.Outlined([]byte(text)) || segment.Strict([]byte(text)) {
			t.Errorf("the short way: %q; good JSON: %v", text, segment.Strict([]byte(text)))
		}
	}
	many := `{"a":[` + strings.TrimSuffix(strings.Repeat(`0,`, 1<<20), ",") + `]}`
	if segment.Outlined([]byte(many)) {
		t.Error("as much is noted as somebody likes to send")
	}
	manyDeep := `{"a":{"b":[` + strings.TrimSuffix(strings.Repeat(`{"c":0},`, 1<<17), ",") + `]}}`
	if !segment.Outlined([]byte(manyDeep)) {
		t.Error("what nobody asks for is noted")
	}
}

// FuzzOutline: the short way and the long one lead to the same, and the short way is taken by good JSON only.
func FuzzOutline(f *testing.F) {
	for text := range spoiled() {
		f.Add([]byte(text))
	}
	for _, text := range samples() {
		f.Add([]byte(text))
	}
	f.Add([]byte(delivered["identify"]))
	f.Add([]byte(`{"type":"group","groupId":"g","traits":{"a.b":{"c":[1, {"x" : "\u00e4"}],"\\":{ }},"d":[ ],"company":{"size":7}},"context":{"groupId":null}}`))
	options := []*segment.Options{strict(), mapped(f, busy)}
	options[1].Batch.Context = []byte(`{"groupId":"of batch","plan":"gold","area":7}`)
	f.Fuzz(func(t *testing.T, text []byte) {
		if segment.Outlined(text) && !segment.Strict(text) {
			t.Fatal("taken as good")
		}
		for _, o := range options {
			got, rejection := segment.Parse(text, o)
			want, wantRejection := segment.ParseSlowly(text, o)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatal(diff)
			}
			if diff := cmp.Diff(wantRejection, rejection); diff != "" {
				t.Fatal(diff)
			}
		}
		// As a call of a batch too.
		body := bytes.Join([][]byte{[]byte(`{"context":{"plan":"x"},"batch":[1,`), text, []byte(`,{}]}`)}, nil)
		if b, rejection := segment.Split(body); rejection == nil && len(b.Calls) == 3 {
			for _, o := range options {
				o := *o
				o.Batch = b.Envelope
				got, rejection := b.Parse(1, &o)
				want, wantRejection := segment.ParseSlowly(b.Calls[1], &o)
				if diff := cmp.Diff(want, got) + cmp.Diff(wantRejection, rejection); diff != "" {
					t.Fatal(diff)
				}
			}
			b.Free()
		}
	})
}
