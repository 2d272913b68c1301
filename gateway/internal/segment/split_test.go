package segment_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

func split(t *testing.T, body string) segment.Batch {
	t.Helper()
	b, rejection := segment.Split([]byte(body))
	if rejection != nil {
		t.Fatalf("rejected as %s: %s", rejection.Code, rejection.Message)
	}
	return b
}

func texts(b segment.Batch) []string {
	var list []string
	for _, c := range b.Calls {
		list = append(list, string(c))
	}
	return list
}

func TestTheCallsOfABatchAreFoundWhereverTheBatchStands(t *testing.T) {
	for name, body := range map[string]string{
		"first":       `{"batch":[{"a":1}, {"b":"]"}],"sentAt":"s","context":{"groupId":"g"},"writeKey":"k"}`,
		"last":        ` {"context":{"groupId":"g"},"integrations":{"All":true},"sentAt":"s", "batch" : [ {"a":1} ,{"b":"]"} ] } `,
		"key escaped": `{"\u0062atch":[{"a":1},{"b":"]"}],"sentAt":"s","context":{"groupId":"g"}}`,
		"deep beside": `{"x":` + nested(5000) + `,"batch":[{"a":1},{"b":"]"}],"sentAt":"s","context":{"groupId":"g"}}`,
	} {
		b := split(t, body)
		if diff := cmp.Diff([]string{`{"a":1}`, `{"b":"]"}`}, texts(b)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if string(b.SentAt) != `"s"` || string(b.Context) != `{"groupId":"g"}` {
			t.Errorf("%s: sentAt %s, context %s", name, b.SentAt, b.Context)
		}
	}
	if diff := cmp.Diff([]string{`{"a":1}`, `2`}, texts(split(t, ` [{"a":1}, 2]`))); diff != "" {
		t.Errorf("array: %s", diff)
	}
}

func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

func TestWhatIsWrongWithTheBatchItselfCostsAllOfIt(t *testing.T) {
	for name, c := range map[string]struct{ body, code string }{
		"empty body":             {``, "json_invalid"},
		"cut off":                {`{"batch":[{"a":1}`, "json_invalid"},
		"followed by more":       {`{"batch":[{}]} {}`, "json_invalid"},
		"array followed by more": {`[{}] 1`, "json_invalid"},
		"a string":               {`"batch"`, "call_not_object"},
		"no batch":               {`{}`, "empty_batch"},
		"batch in other case":    {`{"Batch":[{}]}`, "empty_batch"},
		"batch is an object":     {`{"batch":{}}`, "empty_batch"},
		"batch is null":          {`{"batch":null}`, "empty_batch"},
		"no calls":               {`{"batch":[]}`, "empty_batch"},
		"empty array":            {`[]`, "empty_batch"},
		"batch twice":            {`{"batch":[{}],"batch":[{}]}`, "json_duplicate_key"},
		"batch twice, once":      {`{"batch":1,"batch":[{}]}`, "json_duplicate_key"},
		"context twice":          {`{"batch":[{}],"context":{},"context":{"groupId":"g"}}`, "json_duplicate_key"},
		"groupId twice":          {`{"batch":[{}],"context":{"groupId":"g","groupId":"h"}}`, "json_duplicate_key"},
		"context not UTF-8":      {"{\"batch\":[{}],\"context\":{\"groupId\":\"\xff\"}}", "json_invalid_utf8"},
		"context too deep":       {`{"batch":[{}],"context":` + nested(65) + `}`, "json_too_deep"},
		"too many calls":         {`[` + strings.Repeat("1,", 10_000) + `1]`, "batch_too_long"},
	} {
		t.Run(name, func(t *testing.T) {
			_, rejection := segment.Split([]byte(c.body))
			if rejection == nil {
				t.Fatal("not rejected")
			}
			if rejection.Code != c.code || rejection.Message == "" {
				t.Errorf("rejected as %s: %q, want %s", rejection.Code, rejection.Message, c.code)
			}
			if rejection.Fingerprint != segment.FingerprintOf([]byte(c.body)) {
				t.Error("the fingerprint is not the body's")
			}
		})
	}
}

// spoiled are elements of a batch that are rejected, by the code they are rejected with.
func spoiled() map[string]string {
	return map[string]string{
		`{}`:                       "type_required",
		`1`:                        "call_not_object",
		`null`:                     "call_not_object",
		`"x"`:                      "call_not_object",
		`[{"batch":[]}]`:           "call_not_object",
		`{"type":"x","type":"y"}`:  "json_duplicate_key",
		"{\"\xff\":1}":             "json_invalid_utf8",
		`{"a":"\udead"}`:           "json_invalid_utf8",
		`{"a":` + nested(64) + `}`: "json_too_deep",
		// Deeper than the JSON library itself can go.
		`{"a":` + nested(12_000) + `}`:                   "json_too_deep",
		`{"a":"` + strings.Repeat("x", 40_000) + `"}`:    "call_too_large",
		with(map[string]any{"userId": raw(`{"a":"}"}`)}): "user_id_invalid",
	}
}

func TestABadCallInABatchCostsOnlyItself(t *testing.T) {
	good := with(nil)
	for bad, code := range spoiled() {
		b := split(t, `{"batch":[`+good+`,`+bad+`,`+good+`]}`)
		if len(b.Calls) != 3 {
			t.Errorf("%.40s: %d calls", bad, len(b.Calls))
			continue
		}
		if _, rejection := segment.Parse(b.Calls[1], strict()); rejection == nil || rejection.Code != code {
			t.Errorf("%.40s: %+v, want %s", bad, rejection, code)
		}
		for _, i := range []int{0, 2} {
			if diff := cmp.Diff(parse(t, good, strict()), parse(t, string(b.Calls[i]), strict())); diff != "" {
				t.Errorf("%.40s changes call %d: %s", bad, i, diff)
			}
		}
	}
}

func TestTheWriteKeyIsFoundInFrontOfWhatCannotBeRead(t *testing.T) {
	for body, want := range map[string]struct{ key, code string }{
		`{"a":{"writeKey":"no"},"writeKey":"k1"}`:       {"k1", ""},
		`{"writeKey":"k1","batch":[`:                    {"k1", ""},
		`{"x":"` + "\xff" + `","x":1,"writeKey":"k1"}`:  {"k1", ""},
		`{"WriteKey":"k1"}`:                             {"", ""},
		`{"writeKey":7}`:                                {"", ""},
		`[{"writeKey":"k1"}]`:                           {"", ""},
		`{"batch":[undefined],"writeKey":"k1"}`:         {"k1", ""},
		`{"batch":[,"writeKey":"k1"}`:                   {"", "json_invalid"}, // it may be that of a call
		`{"batch":[,"writeKey":"k1"} {"writeKey":"k2"}`: {"", "json_invalid"},
		`{"batch":[,"writeKey":"k1`:                     {"", "json_invalid"},
		`{"batch":[,"writeKey":"k1\`:                    {"", "json_invalid"},
		`{"batch":[,"writeKey":7}`:                      {"", "json_invalid"},
		`{"batch":[,"x":"\"writeKey\":\"k1\""}`:         {"", "json_invalid"},
		``:                                              {"", "json_invalid"},
	} {
		key, problem := segment.WriteKey([]byte(body))
		code := ""
		if problem != nil {
			code = problem.Code
		}
		if key != want.key || code != want.code {
			t.Errorf("%q: key %q, problem %q, want %q, %q", body, key, code, want.key, want.code)
		}
	}
}
