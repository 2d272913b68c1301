package segment_test

import (
	"bytes"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

// FuzzParse: whatever comes in, a call that is taken keeps the contract and is the same when sent again; one that is not says why.
func FuzzParse(f *testing.F) {
	for bad := range spoiled() {
		f.Add([]byte(bad))
	}
	f.Add([]byte(with(nil)))
	f.Add([]byte(anonymousCall))
	f.Add([]byte(with(map[string]any{"type": "group", "groupId": 1, "traits": raw(`{"a.b":{"c":[1]},"d":{}}`), "sentAt": raw("1")})))
	f.Fuzz(func(t *testing.T, text []byte) {
		before := bytes.Clone(text)
		got, rejection := segment.Parse(text, strict())
		if !bytes.Equal(text, before) {
			t.Fatal("the input was changed")
		}
		if rejection != nil {
			if rejection.Code == "" || rejection.Message == "" || rejection.Code == "call_invalid" {
				t.Fatalf("rejected as %+v", rejection.Problem)
			}
			return
		}
		if err := got.Call.Check(); err != nil {
			t.Fatal(err)
		}
		// The same in canonical form is the same call. Only the order of the traits may differ.
		canonical, err := jsontext.AppendFormat(nil, text, jsontext.ReorderRawObjects(true))
		if err != nil {
			t.Fatalf("a call was taken that is no strict JSON: %v", err)
		}
		again, rejection := segment.Parse(canonical, strict())
		if rejection != nil {
			t.Fatalf("in canonical form rejected as %s", rejection.Code)
		}
		got.Call.Traits, again.Call.Traits = nil, nil
		if diff := cmp.Diff(got, again); diff != "" {
			t.Fatal(diff)
		}
	})
}

// FuzzSplit: a call between two others never changes what becomes of them, whatever it holds.
func FuzzSplit(f *testing.F) {
	for bad := range spoiled() {
		f.Add([]byte(bad))
	}
	f.Add([]byte(`{"batch":[{},1,[]]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		// As a whole body anything may come.
		if b, rejection := segment.Split(text); (rejection == nil) != (len(b.Calls) > 0) {
			t.Fatalf("%d calls and rejection %+v", len(b.Calls), rejection)
		}
		_, _ = segment.WriteKey(text)

		lenient := []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}
		if !jsontext.Value(text).IsValid(lenient...) {
			return
		}
		good := with(nil)
		b, rejection := segment.Split([]byte(`{"batch":[` + good + `,` + string(text) + `,` + good + `],"sentAt":null}`))
		if rejection != nil {
			t.Fatalf("rejected as %s", rejection.Code)
		}
		if len(b.Calls) != 3 || string(b.Calls[0]) != good || string(b.Calls[2]) != good {
			t.Fatalf("split into %q", texts(b))
		}
		if !bytes.Equal(b.Calls[1], bytes.TrimSpace(text)) {
			t.Fatalf("the call became %q", b.Calls[1])
		}
	})
}
