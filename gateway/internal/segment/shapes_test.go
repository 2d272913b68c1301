package segment_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/internal/domain/call"
)

// common is what Segment puts into everything that it delivers to a destination.
const common = `"anonymousId":"507f191e810c19729de860ea","userId":"97980cfea0067","messageId":"ajs-f8ca1e4de5024d9430b3928bd8ac6b96",` +
	`"channel":"client","projectId":"abc123","version":2,"integrations":{},"_metadata":{"bundled":["Segment.io"],"unbundled":[]},` +
	`"originalTimestamp":"2026-06-21T17:35:47.381Z","sentAt":"2026-06-21T17:35:47.382Z","receivedAt":"2026-06-21T17:35:47.405Z",` +
	`"timestamp":"2026-06-21T17:35:47.404Z","context":{"ip":"10.0.0.1","library":{"name":"analytics.js","version":"3.8.2"},` +
	`"page":{"path":"/","referrer":"","search":"","title":"Home","url":"https://example.com/"},"userAgent":"Mozilla/5.0"},`

func TestCallsAreUnderstoodInTheShapesThatSegmentDelivers(t *testing.T) {
	base := call.Call{
		MessageID: "ajs-f8ca1e4de5024d9430b3928bd8ac6b96", OriginalMS: ms(t, "2026-06-21T17:35:47.381Z"),
		TimeMS: ms(t, "2026-06-21T17:35:47.381Z"), AnonymousID: "507f191e810c19729de860ea", UserID: "97980cfea0067", Source: "web",
	}
	text := func(path, s string) call.Trait {
		return call.Trait{Path: path, Value: call.Value{Kind: call.String, Text: s}}
	}
	number := func(path, s string) call.Trait {
		return call.Trait{Path: path, Value: call.Value{Kind: call.Number, Text: s}}
	}
	for name, c := range map[string]struct {
		own  string // what this type adds to the common members
		want func(*call.Call)
	}{
		"track": {
			`"type":"track","event":"Report Exported","properties":{"plan":"Pro","module":"Reports","revenue":"39.95"}}`,
			func(c *call.Call) { c.Type, c.Feature, c.Module = call.Track, "Report Exported", "Reports" },
		},
		"identify": {
			`"type":"identify","traits":{"firstName":"Ada","email":"ada@example.com","address":{"city":"London"}}}`,
			func(c *call.Call) {
				c.Type = call.Identify
				c.Traits = []call.Trait{text("firstName", "Ada"), text("email", "ada@example.com"), text("address.city", "London")}
			},
		},
		"group": {
			`"type":"group","groupId":"0e8c78ea9d97a7b8185e8632","traits":{"name":"Initech","employees":329,"total billed":830}}`,
			func(c *call.Call) {
				c.Type, c.AccountID = call.Group, "0e8c78ea9d97a7b8185e8632"
				c.Traits = []call.Trait{text("name", "Initech"), number("employees", "329"), number("total billed", "830")}
			},
		},
		"page": {
			`"type":"page","name":"Home","category":null,"properties":{"name":"Home","path":"/","referrer":"","search":"","title":""}}`,
			func(c *call.Call) { c.Type, c.Module = call.Page, "Home" },
		},
		"screen": {
			`"type":"screen","name":"Inbox","properties":{"variation":"blue"}}`,
			func(c *call.Call) { c.Type, c.Module = call.Screen, "Inbox" },
		},
		"alias": {
			`"type":"alias","previousId":"39239-239239-239239-23923"}`,
			func(c *call.Call) { c.Type, c.PreviousID = call.Alias, "39239-239239-239239-23923" },
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := base
			c.want(&want)
			got := parse(t, "{"+common+c.own, strict())
			if diff := cmp.Diff(want, got.Call); diff != "" {
				t.Error(diff)
			}
			if len(got.Warnings) != 0 {
				t.Errorf("warnings %q", warnings(got))
			}
		})
	}
}

func TestAClassicWebhookIsUnderstoodWithItsGaps(t *testing.T) {
	got := parse(t, `{"version":1,"type":"track","userId":"user","anonymousId":"anon","event":"Order Completed","context":[],`+
		`"integrations":null,"properties":{"revenue":"39.95","module":"Shop"},"timestamp":"2026-11-01T11:00:00.000Z"}`, strict())
	want := call.Call{
		Type: call.Track, MessageID: got.Call.MessageID, OriginalMS: ms(t, "2026-11-01T11:00:00Z"), TimeMS: ms(t, "2026-11-01T11:00:00Z"),
		AnonymousID: "anon", UserID: "user", Module: "Shop", Feature: "Order Completed", Source: "web",
	}
	if diff := cmp.Diff(want, got.Call); diff != "" || got.Call.MessageID == "" || len(got.Warnings) != 0 {
		t.Errorf("%s, messageId %q, warnings %q", diff, got.Call.MessageID, warnings(got))
	}
}
