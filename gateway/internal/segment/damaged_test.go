package segment_test

import (
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

func TestTheWriteKeyIsFoundBehindWhatCannotBeReadIfItIsTheBodysOwn(t *testing.T) {
	for body, want := range map[string]string{
		// Damage that leaves no doubt about what stands where.
		`{"a":undefined,"writeKey":"k1"}`:                                       "k1",
		`{"a":,"writeKey":"k1"}`:                                                "k1",
		`{"a":01,"writeKey":"k1"}`:                                              "k1",
		`{a:1,"writeKey":"k1"}`:                                                 "k1",
		`{"a":1,,"writeKey":"k1"}`:                                              "k1",
		`{"a":1,"writeKey":"k1",}`:                                              "k1",
		`{"a":1;"b":2,"writeKey":"k1"}`:                                         "k1",
		`{"a":"\q","writeKey":"k1"}`:                                            "k1",
		`{"a":"\u12","writeKey":"k1"}`:                                          "k1",
		"{\"a\":\"one\ntwo\x00\",\"writeKey\":\"k1\"}":                          "k1",
		"{\"a\":\xff\x00,\"writeKey\":\"k1\"}":                                  "k1",
		`{"batch":[{"x":undefined}, "writeKey"],"writeKey":"k1"}`:               "k1",
		`{"batch":[{"x":Infinity,"writeKey":"no"}],"writeKey":"k1"`:             "k1",
		`{"batch":[{"x":undefined}],"writeKey":"k1","sentAt":"2026-`:            "k1",
		`{"x":undefined, "writeKey" : "k1" , "batch":[{"a":`:                    "k1",
		`{"x":undefined,"write\u004bey":"k\u0031"}`:                             "k1",
		`{"x":undefined,"writeKey":"k1"}` + " \r\n":                             "k1",
		"\xef\xbb\xbf" + `{"writeKey":"k1"}`:                                    "k1",
		`jsonp {"writeKey":"k1"}`:                                               "k1",
		`{"x":undefined,"writeKey":"a:b"}`:                                      "a:b",
		`{"x":"Ada "the" King","writeKey":"k1"}`:                                "k1",
		`{"x":undefined,"a":` + nested(12_000) + `,"writeKey":"k1"}`:            "k1",
		`{"x":undefined,"a":"\"writeKey\":\"no\"","b":{"c":1},"writeKey":"k1"}`: "k1",

		// The customer's own.
		`{"a":undefined,"properties":{"writeKey":"no"}}`:     "",
		`{"a":undefined,"batch":[{"writeKey":"no"}]}`:        "",
		`{"a":undefined,"x":"\"writeKey\":\"no\""}`:          "",
		`{"a":undefined,"x":"writeKey","y":"no"}`:            "",
		`{"a":undefined,"x":"writeKey":"no"}`:                "",
		`{"a":undefined,"x":["writeKey","no"]}`:              "",
		`[{"a":undefined,"writeKey":"no"}]`:                  "",
		`undefined[{"writeKey":"no"}]`:                       "",
		`{"a":undefined,"WriteKey":"no"}`:                    "",
		`{"a":undefined,"writeKey ":"no"}`:                   "",
		`{"a":undefined,"writeKey":7}`:                       "",
		`{"a":undefined,"writeKey":["no"]}`:                  "",
		`{"a":undefined,"writeKey":{"x":"no"}}`:              "",
		`{"a":undefined,"writeKey"}`:                         "",
		`{"a":undefined,"writeKey":`:                         "",
		`{"a":undefined,"writeKey"`:                          "",
		`{"a":undefined,"writeKey":"cut off`:                 "",
		`{"a":undefined,"writeKey":"no" way"}`:               "",
		`{"a":undefined,"writeKey":"n\o"}`:                   "",
		`"{\"a\":undefined,\"writeKey\":\"no\"}"`:            "",
		`{"a":undefined,"writeKey":"k1","writeKey":"no"}`:    "",
		`{"a":{"b":1}},"c":{"x":undefined,"writeKey":"no"}}`: "", // a bracket too many
		`{"a":{"x":undefined],"writeKey":"no"}`:              "", // one of the other kind
		`{"a":"x,"p":{"t":"\"","writeKey":"no"}`:             "", // a quote too few, and one that is the customer's
		`{"a":[1,{"x":undefined],"writeKey":"no"}`:           "", // one too few
		`{"a":{"x":undefined,"writeKey":"no"}`:               "",
		`{"a":{"x":[1},"writeKey":"no"}}`:                    "",
		`{"a":undefined}{"writeKey":"no"}`:                   "",
		`{"a":undefined,"writeKey":"no"}{}`:                  "",
		`{"a":undefined,"writeKey":"no"}]`:                   "",
		`{"a":"x,"b":"\"writeKey\":\"no\"","c":1}`:           "", // a quote too few
		`{"a":"x"","b":"\",\"writeKey\":\"no\",\"","c":1`:    "", // a quote too many
		`}{"writeKey":"no"}`:                                 "",
	} {
		key, problem := segment.WriteKey([]byte(body))
		if key != want || (key == "") != (problem != nil && problem.Code != "") && body[0] != '[' {
			t.Errorf("%.80q: key %q, problem %v, want %q", body, key, problem, want)
		}
	}
}

// FuzzDamaged: whatever stands where a value should, as long as it opens, closes and quotes nothing, the key that is found is the body's own.
func FuzzDamaged(f *testing.F) {
	for _, damage := range []string{"undefined", "", ",", "01", "\x00\xff", "1 2", "a:b", "/* */", "'x'", "\n"} {
		f.Add(damage)
	}
	neutral := strings.NewReplacer("{", "", "}", "", "[", "", "]", "", `"`, "", `\`, "")
	f.Fuzz(func(t *testing.T, damage string) {
		_, _ = segment.WriteKey([]byte(damage))
		damage = neutral.Replace(damage)
		body := `{"p":{"a":` + damage + `,"writeKey":"no"},"q":[` + damage + `,"writeKey","no"],"r":"\"writeKey\":\"no\"","s":` + damage +
			`,"writeKey":"yes","t":` + damage + `,"u":{"writeKey":"no"}}`
		if key, problem := segment.WriteKey([]byte(body)); key != "yes" {
			t.Errorf("key %q, problem %v", key, problem)
		}
	})
}
