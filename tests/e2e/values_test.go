package e2e

import (
	"net/http"
	"os"
	"slices"
	"testing"
)

// strange are calls with numbers, times, ids, names and traits that keep to no standard, as clients really write them.
var strange = []struct{ path, key, body string }{
	// analytics-python over data frames: NaN, the key in the body alone, and emoji as surrogate pairs.
	{"/v1/batch", "", `{"batch": [
		{"type": "track", "messageId": "py1", "timestamp": "2026-11-02T09:00:00+00:00", "anonymousId": "s1", "userId": "ada", "event": "Invoice Sent",
			"properties": {"module": "Billing ", "score": NaN, "list": [1, -Infinity, {"x": Infinity}], "note": "NaN, \ud83d\ude00"}, "context": {"groupId": "acme"}},
		{"type": "identify", "messageId": "py2", "timestamp": "2026-11-02T09:00:01+00:00", "userId": "ada",
			"traits": {"firstName": "", "last_name": "", "name": "Ada King", "phone": NaN}}
	], "context": {"library": {"score": NaN}}, "sentAt": NaN, "writeKey": "` + laxKey + `"}`},
	{"/v1/track", writeKey, `{"messageId":"b1","timestamp":"2026-11-02T09:10:00Z","anonymousId":"s1","userId":"ada","event":" Invoice Sent","properties":{"module":"Billing"}}`},
	// RudderStack's browser: the traits stand in the context.
	{"/v1/identify", laxKey, `{"messageId":"rs1","originalTimestamp":"2026-11-02T09:00:03.000Z","userId":"ada","traits":{"title":"Countess","Email":null},
		"context":{"traits":{"email":"no","phone":"7","address":{"city":"Oslo","zip":"1"},"Title":"no"},"library":{"name":"RudderLabs JavaScript SDK"}}}`},
	// A clock of the wall beside a name of a zone, and a device that sends in UTC.
	{"/v1/track", writeKey, `{"messageId":"z1","timestamp":"2026-11-02T18:20:00","sentAt":"2026-11-02T09:20:01Z","receivedAt":"2026-11-02T09:20:02Z",
		"anonymousId":"s1","userId":"ada","event":"Zone","context":{"timezone":"Asia/Tokyo"}}`},
	{"/v1/track", writeKey, `{"messageId":"go1","originalTimestamp":"2026-11-02 10:30:00.5 +0100 CET m=+0.012345678","anonymousId":"s1","userId":"ada","event":"Go"}`},
	{"/v1/track", writeKey, `{"messageId":"u1","originalTimestamp":"just now","timestamp":"2026-11-02T09:40:00Z","anonymousId":"s1","userId":"ada","event":"Unreadable"}`},
	// A device whose clock stood at its first day.
	{"/v1/track", writeKey, `{"messageId":"c1","timestamp":"2020-01-01T00:00:00Z","sentAt":"2020-01-01T00:10:00Z","receivedAt":"2026-11-02T09:55:00Z",
		"anonymousId":"s1","userId":"ada","event":"Clock"}`},
	{"/v1/page", laxKey, `{"messageId":"n1","timestamp":"2026-11-02T09:00:00Z","anonymousId":"s2","userId":"(null)","name":" Home "}`},
	{"/v1/track", laxKey, `{"messageId":"n2","timestamp":"2026-11-02T09:01:00Z","anonymousId":"s2","userId":"{{ user.id }}","groupId":"[object Promise]","event":"E"}`},
	{"/v1/group", laxKey, `{"messageId":"g1","timestamp":"2026-11-01T00:00:00Z","groupId":"acme",
		"traits":{"name":"Acme","createdAt":"2020-01-31","employees":7,"address":{"city":"Oslo","country":"NO"}}}`},
	{"/v1/group", laxKey, `{"messageId":"g2","timestamp":"2026-11-01T00:01:00Z","groupId":"acme",
		"traits":{"createdAt":{"$date":"2021-01-31"},"employees":{"min":1},"address":"x"}}`},
	{"/v1/group", laxKey, `{"messageId":"g3","timestamp":"2026-11-01T00:02:00Z","groupId":"globex",
		"traits":{"name":"Globex","createdAt":43831}}`},
}

func TestWhatClientsReallyWriteGivesTheStateThatTheyMeant(t *testing.T) {
	golden, err := os.ReadFile("testdata/values.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	backwards := slices.Clone(strange)
	slices.Reverse(backwards)
	for name, order := range map[string][]struct{ path, key, body string }{"in order": strange, "backwards": backwards} {
		t.Run(name, func(t *testing.T) {
			d := startStandalone(t, newDir(t))
			for range 2 { // the copies change nothing
				for _, call := range order {
					if got := send(t, d, call.path, call.key, call.body); got.status != http.StatusOK {
						t.Errorf("%s: %+v", call.body, got)
					}
				}
			}
			compareDump(t, string(golden), dumpRunning(t, d))
		})
	}
}
