package pixel_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sojournhq/sojourn/gateway/internal/ingest/pixel"
)

func TestAQueryIsACall(t *testing.T) {
	for query, want := range map[string]string{
		"data=eyJhIjoxfQ==&writeKey=k": `{"a":1} k`,
		"data=eyJhIjoxfQ":              `{"a":1} `,
		"data=Pz8_":                    `??? `, // left for others to reject
		"data=Pz8%2F":                  `??? `,
		"data=":                        ` `,
		"":                             `{} `,
		"b=2&a=1":                      `{"a":"1","b":"2"} `,
		"writeKey=k&p.q.r=1&p.s=%22":   `{"p":{"q":{"r":"1"},"s":"\""},"writeKey":"k"} k`,
		"a.=1":                         `{"a":{"":"1"}} `,
		"a=1&a=2":                      "query_invalid",
		"a=1&a.b=2":                    "query_invalid",
		"a.b=1&a=2":                    "query_invalid",
		"a=%zz":                        "query_invalid",
		"a=1;b=2":                      "query_invalid",
		"a=%ff":                        "json_invalid_utf8",
		"%ff=a":                        "json_invalid_utf8",
		"data=%%%":                     "query_invalid",
		"data=!":                       "data_invalid",
	} {
		body, key, problem := pixel.Call(query)
		got := string(body) + " " + key
		if problem != nil {
			got = problem.Code
		}
		if got != want {
			t.Errorf("%q: %s, want %s", query, got, want)
		}
	}
}

func FuzzCall(f *testing.F) {
	for _, query := range []string{"data=eyJhIjoxfQ==", "a.b=1&a.c=2&writeKey=k", "a=1&a.b=2", "a=%ff", "a..b.=%00", "=x"} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		body, key, problem := pixel.Call(query)
		if problem != nil {
			if body != nil {
				t.Errorf("%q: a problem and a body", query)
			}
			return
		}
		values, err := url.ParseQuery(query)
		if err != nil || values.Has("data") {
			return
		}
		// Single parameters always make JSON that reads strictly, and in which the key is the one beside it.
		if !jsontext.Value(body).IsValid() {
			t.Errorf("%q: %s", query, body)
		}
		if key != "" && !strings.Contains(string(body), `"writeKey":`) {
			t.Errorf("%q: no key in %s", query, body)
		}
	})
}
