package segment_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/internal/domain/call"

	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

// words are what Python's json writes for numbers that JSON does not have.
var words = []string{"NaN", "Infinity", "-Infinity"}

// both parses a call the short way and the long one, which lead to the same.
func both(t *testing.T, text string, o *segment.Options) segment.Parsed {
	t.Helper()
	got := parse(t, text, o)
	slowly, rejection := segment.ParseSlowly([]byte(text), o)
	if diff := cmp.Diff(got, slowly); diff != "" || rejection != nil {
		t.Errorf("the long way: %s, rejected as %v", diff, rejection)
	}
	return got
}

func TestNaNAndInfinityAreReadAsNullWithAWarning(t *testing.T) {
	for name, c := range map[string]struct{ text, field string }{
		"a property":                         {with(map[string]any{"properties": raw(`{"module":"M","x":"@@"}`)}), "properties"},
		"the module":                         {with(map[string]any{"properties": raw(`{"module":"@@"}`)}), "properties"},
		"an element":                         {with(map[string]any{"properties": raw(`{"x":[1,"@@","@@"]}`)}), "properties"},
		"deep down, with spaces":             {with(map[string]any{"properties": raw(`{"x":[[{"y": [ "@@" , {"z" : "@@" } ] }]]}`)}), "properties"},
		"a trait":                            {with(map[string]any{"type": "identify", "traits": raw(`{"score":"@@","list":[1,"@@"]}`)}), "traits"},
		"the context":                        {with(map[string]any{"context": raw(`{"x":"@@"}`)}), "context"},
		"an id":                              {with(map[string]any{"groupId": "@@"}), "groupId"},
		"sentAt":                             {with(map[string]any{"sentAt": "@@"}), "sentAt"},
		"the original timestamp":             {with(map[string]any{"originalTimestamp": "@@"}), "originalTimestamp"},
		"a member of the customer's":         {with(map[string]any{"score": "@@"}), ""},
		"first and last":                     {`{"a":"@@",` + with(nil)[1:len(with(nil))-1] + `,"z":"@@"}`, ""},
		"beside emoji as Python writes them": {with(map[string]any{"properties": raw(`{"x":"@@","e":"\ud83d\ude00"}`)}), "properties"},
		"beside an escaped name":             {strings.Replace(with(map[string]any{"properties": raw(`{"x":"@@"}`)}), `"userId"`, `"user\u0049d"`, 1), "properties"},
	} {
		for _, word := range words {
			t.Run(name+", "+word, func(t *testing.T) {
				got := both(t, strings.ReplaceAll(c.text, `"@@"`, word), strict())
				want := parse(t, strings.ReplaceAll(c.text, `"@@"`, "null"), strict())
				if diff := cmp.Diff(want.Call, got.Call); diff != "" {
					t.Error(diff)
				}
				if warnings(got) != "number_not_json "+c.field || !strings.Contains(got.Warnings[0].Message, c.field) {
					t.Errorf("warnings %+v, want one of %q", got.Warnings, c.field)
				}
			})
		}
	}
}

func TestWhatLooksLikeNaNInTextIsText(t *testing.T) {
	const text = `{"a":NaN,"b,":[-Infinity,NaN],"c\\":"x\":NaN,"}`
	got := both(t, with(map[string]any{"event": text, "properties": map[string]any{"module": "NaN", text: text}}), strict())
	if got.Call.Feature != text || got.Call.Module != "NaN" || len(got.Warnings) != 0 {
		t.Errorf("feature %q, module %q, warnings %q", got.Call.Feature, got.Call.Module, warnings(got))
	}
	beside := both(t, strings.Replace(with(map[string]any{"event": text}), `"Reports"`, "NaN", 1), strict())
	if beside.Call.Feature != text || beside.Call.Module != "" {
		t.Errorf("feature %q, module %q", beside.Call.Feature, beside.Call.Module)
	}
}

func TestATraitThatIsNaNClearsAndInAListItIsNull(t *testing.T) {
	got := both(t, with(map[string]any{"type": "identify", "traits": raw(`{"a":null,"b":[1,null]}`)}), strict()).Call.Traits
	nan := strings.ReplaceAll(with(map[string]any{"type": "identify", "traits": raw(`{"a":null,"b":[1,null]}`)}), "null", "NaN")
	want := []call.Trait{{Path: "a", Value: call.Value{Kind: call.Null}}, {Path: "b", Value: call.Value{Kind: call.JSON, Text: "[1,null]"}}}
	if diff := cmp.Diff(want, got) + cmp.Diff(want, both(t, nan, strict()).Call.Traits); diff != "" {
		t.Error(diff)
	}
}

func TestACallWithNaNIsKnownAsACopyWhateverTimeItWasSent(t *testing.T) {
	derived := func(word, sent string) string {
		text := with(map[string]any{"messageId": nil, "sentAt": sent, "properties": raw(`{"a":"@@","b":[2]}`)})
		return both(t, strings.ReplaceAll(text, `"@@"`, word), strict()).Call.MessageID
	}
	first := derived("NaN", "2026-11-01T11:59:00Z")
	for _, other := range []string{derived("NaN", "2026-11-01T11:59:09Z"), derived("null", "2026-11-01T11:59:00Z"), derived("-Infinity", "2026-11-01T11:59:01Z")} {
		if other != first {
			t.Errorf("messageId %s, want %s", other, first)
		}
	}
	if derived("1", "2026-11-01T11:59:00Z") == first {
		t.Error("another number gives the same messageId")
	}
}

func TestARejectedCallWithNaNIsKeptAsItWasSentAndRecognised(t *testing.T) {
	reject := func(sent string) *segment.Rejection {
		t.Helper()
		text := strings.Replace(with(map[string]any{"event": 7, "sentAt": sent}), `"Reports"`, "NaN", 1)
		_, rejection := segment.Parse([]byte(text), strict())
		if rejection == nil || rejection.Code != "event_invalid" || rejection.MessageID != "m1" || rejection.UserID != "user" || string(rejection.Raw) != text {
			t.Fatalf("rejected as %+v", rejection)
		}
		if rejection.Fingerprint != segment.FingerprintOfCall("track", []byte(text)) {
			t.Error("the fingerprint is not the call's")
		}
		return rejection
	}
	if reject("2026-11-01T11:59:00Z").Fingerprint != reject("2026-11-01T11:59:01Z").Fingerprint {
		t.Error("sent again it has another fingerprint")
	}
}

func TestTheLengthOfACallIsThatOfWhatWasSent(t *testing.T) {
	o := strict()
	text := strings.Replace(with(nil), `"Reports"`, "NaN", 1)
	o.MaxBytes = len(text)
	both(t, text, o)
	o.MaxBytes--
	if _, rejection := segment.Parse([]byte(text), o); rejection == nil || rejection.Code != "call_too_large" {
		t.Errorf("rejected as %+v", rejection)
	}
}

func TestNaNCostsNoBatchWhereverItStands(t *testing.T) {
	good, bad := with(nil), `{"type":"track","type":"track"}`
	nan := strings.Replace(with(map[string]any{"messageId": "m2"}), `"Reports"`, "NaN", 1)
	for name, c := range map[string]struct {
		body     string
		warnings string
	}{
		"in a call":       {`{"batch":[%s],"sentAt":"2026-11-01T12:00:00Z","context":{"groupId":"g"}}`, ""},
		"in an array":     {`[%s]`, ""},
		"in the context":  {`{"context":{"x":NaN,"groupId":"g","y":[-Infinity]},"batch":[%s]}`, "number_not_json context"},
		"as the context":  {`{"context":Infinity,"batch":[%s]}`, "number_not_json context"},
		"as sentAt":       {`{"sentAt": NaN ,"batch":[%s]}`, "number_not_json sentAt"},
		"in other places": {`{"integrations":{"x":NaN},"batch":[%s],"z":-Infinity}`, ""},
	} {
		b := split(t, fmt.Sprintf(c.body, good+","+nan+" , "+bad+","+good))
		if diff := cmp.Diff([]string{good, nan, bad, good}, texts(b)); diff != "" {
			t.Errorf("%s: %s", name, diff)
			continue
		}
		if got := warnings(segment.Parsed{Warnings: b.Warnings}); got != c.warnings {
			t.Errorf("%s: warnings %q, want %q", name, got, c.warnings)
		}
		o := strict()
		o.Batch = b.Envelope
		for i := range b.Calls {
			got, rejection := b.Parse(i, o)
			switch {
			case i == 2:
				if rejection == nil || rejection.Code != "json_duplicate_key" || string(rejection.Raw) != bad {
					t.Errorf("%s: call %d rejected as %+v", name, i, rejection)
				}
			case rejection != nil:
				t.Errorf("%s: call %d rejected as %+v", name, i, rejection)
			case i == 1 && (warnings(got) != "number_not_json properties" || got.Call.MessageID != "m2" || got.Call.Module != ""):
				t.Errorf("%s: call %d is %+v", name, i, got)
			case i != 1 && (len(got.Warnings) != 0 || got.Call.Module != "Reports"):
				t.Errorf("%s: call %d is %+v", name, i, got)
			case strings.Contains(c.body, `"groupId":"g"`) && got.Call.AccountID != "g":
				t.Errorf("%s: account %q", name, got.Call.AccountID)
			}
		}
		b.Free()
	}
	b := split(t, `[NaN,`+good+`,7]`)
	for i, want := range []string{"call_not_object", "", "call_not_object"} {
		if _, rejection := b.Parse(i, strict()); (rejection == nil) != (want == "") || rejection != nil && rejection.Code != want {
			t.Errorf("element %d: rejected as %+v, want %q", i, rejection, want)
		}
	}
}

func TestTheKeyIsFoundAndTheFirstCallSignedBehindNaN(t *testing.T) {
	nan := strings.Replace(with(nil), `"Reports"`, "NaN", 1)
	body := []byte(`{"batch":[` + nan + `],"context":{"x":Infinity},"writeKey":"k1"}`)
	if key, problem := segment.WriteKey(body); key != "k1" || problem != nil {
		t.Errorf("key %q, problem %+v", key, problem)
	}
	if !segment.IsBatch([]byte(`{"x":[NaN],"batch":[]}`)) {
		t.Error("no batch")
	}
	if got := segment.Signed([]byte(` [ ` + nan + ` ,{}]`)); !bytes.Equal(got, []byte(nan)) {
		t.Errorf("signed: %s", got)
	}
}

// FuzzNotNumbers: what is no number is found where it is one value too few for JSON, and nowhere else.
func FuzzNotNumbers(f *testing.F) {
	for _, text := range []string{
		`{"a":NaN}`, `[NaN,-Infinity , Infinity]`, `{"a":"\"NaN,"}`, `{NaN:1}`, `NaN`, `{"a":-NaN}`, `"NaN`, `[NaN1]`, `{"a" : [ {"b":NaN } ] }`, `{"a\\":NaN}`, `[,NaN]`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		before := bytes.Clone(text)
		nulled, some := segment.Nulled(text)
		if !bytes.Equal(text, before) {
			t.Fatal("the input was changed")
		}
		if segment.Strict(text) && some {
			t.Fatal("found in good JSON")
		}
		if again, more := segment.Nulled(nulled); more || !bytes.Equal(again, nulled) {
			t.Fatalf("found in what it was taken out of: %q", nulled)
		}
		if !segment.Strict(nulled) {
			return
		}
		for _, word := range words {
			for i := range nulled {
				behind, found := bytes.CutPrefix(nulled[i:], []byte("null"))
				if !found {
					continue
				}
				// Wherever null is a value, the word may stand in its place; wherever it is text, it is text.
				other := slices.Concat(nulled[:i], []byte(word), behind)
				if back, some := segment.Nulled(other); some != bytes.Equal(back, nulled) || some == segment.Strict(other) {
					t.Fatalf("%q becomes %q", other, back)
				}
			}
		}
	})
}
