package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEveryInputGetsItsAnswer(t *testing.T) {
	call := func(change string) string { // change replaces fields: "event" removes it, `"event":1` sets it
		fields := map[string]json.RawMessage{
			"type": []byte(`"track"`), "messageId": []byte(`"m"`), "timestamp": []byte(`"2026-11-02T09:00:00Z"`),
			"anonymousId": []byte(`"s"`), "userId": []byte(`"u"`), "event": []byte(`"E"`),
		}
		if name, value, set := strings.Cut(change, "="); set {
			fields[name] = json.RawMessage(value)
		} else {
			delete(fields, change)
		}
		text, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	long := strings.Repeat("x", 33<<10)
	cases := []struct {
		name, path, key, body string
		status                int
		says                  string // what the message must name
	}{
		{"a good call", "/v1/track", writeKey, call(""), 200, ""},
		{"no key", "/v1/track", "", call(""), 401, "write key"},
		{"an unknown key", "/v1/track", "nobody-has-this-key-here", call(""), 401, "write key"},
		{"a query token writes nothing", "/v1/track", queryToken, call(""), 403, "write key"},
		{"unreadable JSON", "/v1/track", writeKey, `{"type":`, 400, "JSON"},
		{"no object", "/v1/track", writeKey, `[1`, 400, "JSON"},
		{"no event", "/v1/track", writeKey, call("event"), 400, "event"},
		{"event is no string", "/v1/track", writeKey, call("event=7"), 400, "event"},
		{"no userId", "/v1/track", writeKey, call("userId"), 400, "require_user_id"},
		{"a userId that means none", "/v1/track", writeKey, call(`userId="undefined"`), 400, "require_user_id"},
		{"no anonymousId", "/v1/track", writeKey, call("anonymousId"), 400, "require_anonymous_id"},
		{"no time", "/v1/track", writeKey, call("timestamp"), 400, "timestamp"},
		{"a time that is none", "/v1/track", writeKey, call(`timestamp="soon"`), 400, "timestamp"},
		{"a duplicate key", "/v1/track", writeKey, `{"userId":"a",` + call("")[1:], 400, "userId"},
		{"a key in other case is no userId", "/v1/track", writeKey, call(`USERID="v"`), 200, ""},
		{"a lone surrogate", "/v1/track", writeKey, call(`userId="\ud800"`), 400, "UTF-8"},
		{"a group call without groupId", "/v1/group", writeKey, call(""), 400, "groupId"},
		{"an alias call without previousId", "/v1/alias", writeKey, call(""), 400, "previousId"},
		{"an unsupported type", "/v1/segment", writeKey, call(`type="erase"`), 501, "type"},
		{"no type", "/v1/segment", writeKey, call("type"), 400, "type"},
		{"an empty batch", "/v1/batch", writeKey, `{"batch":[]}`, 400, "batch"},
		{"no batch", "/v1/batch", writeKey, `{}`, 400, "batch"},
		{"a long call", "/v1/track", writeKey, call(`event="` + long + `"`), 413, "bytes"},
		{"a long batch", "/v1/batch", writeKey, `{"batch":[` + strings.Repeat(`{"x":"`+long+`"},`, 17) + `{}]}`, 413, "bytes"},
		{"ids that are not required", "/v1/track", laxKey, `{"messageId":"l","timestamp":"2026-11-02T09:00:00Z","event":"E"}`, 200, ""},
		{"the key in the body", "/v1/track", "", call(`writeKey="` + writeKey + `"`), 200, ""},
	}
	onBoth(t, func(t *testing.T, d deployment) {
		for _, c := range cases {
			got := send(t, d, c.path, c.key, c.body)
			var said struct{ Message, Code string }
			if err := json.Unmarshal([]byte(got.body), &said); err != nil {
				t.Errorf("%s: %v in %s", c.name, err, got.body)
			}
			if got.status != c.status || !strings.Contains(strings.ToLower(said.Message), strings.ToLower(c.says)) {
				t.Errorf("%s: got %d %s, want %d and a message with %q", c.name, got.status, got.body, c.status, c.says)
			}
			if (got.status == http.StatusOK) == (said.Code != "") {
				t.Errorf("%s: code %q", c.name, said.Code)
			}
		}
		type book struct{ Received, Accepted, Duplicate, Filtered, Rejected string }
		books := ask[struct{ Outcomes []book }](t, d, queryToken, "sojourn.identity.v1.QueryService/ListOutcomes", `{}`)
		for _, b := range books.Outcomes {
			var n [5]int
			for i, text := range []string{b.Received, b.Accepted, b.Duplicate, b.Filtered, b.Rejected} {
				_, _ = fmt.Sscan(text, &n[i]) // protobuf's JSON leaves out what is 0
			}
			if n[0] == 0 || n[0] != n[1]+n[2]+n[3]+n[4] {
				t.Errorf("the books do not balance: %+v", b)
			}
		}
	})
}

func TestOneBadCallInABatchCostsOnlyItself(t *testing.T) {
	onBoth(t, func(t *testing.T, d deployment) {
		good := func(id string) string {
			return `{"type":"track","messageId":"` + id + `","timestamp":"2026-11-02T09:00:00Z","anonymousId":"s","userId":"u","event":"E"}`
		}
		got := send(t, d, "/v1/batch", writeKey, `{"batch":[`+strings.Join([]string{
			good("m1"), `{"type":"track","messageId":"m2"}`, good("m3"), `7`, `{"type":"track","type":"page"}`, `{"userId":"` + "\xff" + `"}`, good("m1"),
		}, ",")+`]}`)
		var said struct {
			Success  bool
			Accepted int
			Rejected []struct {
				Index           int
				MessageID, Code string
			}
		}
		if err := json.Unmarshal([]byte(got.body), &said); err != nil {
			t.Fatal(err, got.body)
		}
		var rejected []string
		for _, r := range said.Rejected {
			rejected = append(rejected, fmt.Sprint(r.Index, " ", r.MessageID))
			if r.Code == "" {
				t.Errorf("item %d has no code", r.Index)
			}
		}
		if got.status != http.StatusOK || !said.Success || said.Accepted != 3 {
			t.Errorf("answer %+v", got)
		}
		if diff := cmp.Diff([]string{"1 m2", "3 ", "4 ", "5 "}, rejected); diff != "" {
			t.Error(diff)
		}
		if n := strings.Count(dumpRunning(t, d), `"kind":"event"`); n != 2 {
			t.Errorf("%d events, want 2", n)
		}
	})
}

func TestWorkspacesWithTheSameIdsNeverMeet(t *testing.T) {
	onBoth(t, func(t *testing.T, d deployment) {
		body := `{"messageId":"m","timestamp":"2026-11-02T09:00:00Z","anonymousId":"s","userId":"u","groupId":"g","event":"E"}`
		for _, key := range []string{writeKey, otherWriteKey} {
			if got := send(t, d, "/v1/track", key, body); got.status != http.StatusOK {
				t.Fatalf("%+v", got)
			}
		}
		for _, token := range []string{queryToken, otherToken} {
			got := ask[struct{ Rows []struct{ Uses string } }](t, d, token, "sojourn.events.v1.QueryService/QueryUsage", `{}`)
			if len(got.Rows) != 1 || got.Rows[0].Uses != "1" {
				t.Errorf("usage %+v", got)
			}
		}
	})
}
