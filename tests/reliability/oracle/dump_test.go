package oracle_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/tests/reliability/oracle"
)

const minute = int64(60_000)

// calls are few enough to work out by hand. All are of one device, from the beginning of 1970 on.
func calls() []oracle.Call {
	at := func(ms int64, id, kind string) oracle.Call {
		return oracle.Call{Workspace: "w", Source: "s", Type: kind, MessageID: id, TimeMS: ms, AnonymousID: "d"}
	}
	page := at(0, "a", "page")
	page.Module = "M"
	track := at(4*minute, "b", "track")
	track.UserID, track.Feature = "u", "F"
	long := at(34*minute, "c", "identify") // exactly the timeout after it: the same session
	long.UserID, long.AccountID, long.Traits = "u", "g", oracle.Traits{"title": "late"}
	early := at(34*minute, "B", "identify") // of the same time and a smaller id: it comes before
	early.UserID, early.Traits = "u", oracle.Traits{"title": "early", "phone": "1"}
	cut := at(64*minute+1, "d", "group") // a millisecond more: another session
	cut.AccountID, cut.Traits = "g", oracle.Traits{"name": "G", "createdAt": "2020-01-02T03:04:05Z", "tier": "tin"}
	bad := at(5, "e", "track")
	bad.Bad = true
	return []oracle.Call{cut, page, long, track, bad, early, track}
}

func TestTheDumpIsWhatOneWorksOutByHand(t *testing.T) {
	want := strings.Split(strings.TrimSpace(`
{"kind":"event","workspace":"w","time":"1970-01-01T00:04:00.000Z","messageId":"b","feature":"F","module":"","userId":"u","accountId":"g"}
{"kind":"user","workspace":"w","accountId":"g","userId":"u","traits":{"phone":"1","title":"late"},"problems":[]}
{"kind":"account","workspace":"w","accountId":"g","complete":true,"traits":{"createdAt":"2020-01-02T03:04:05.000Z","name":"G"},"dimensions":{},"problems":["tier_unknown"]}
{"kind":"session","workspace":"w","anonymousId":"d","start":"1970-01-01T00:00:00.000Z","end":"1970-01-01T00:34:00.000Z","userId":"u","accountId":"g","durationMs":2040000,"activeMs":540000,"events":4,"modules":[{"module":"M","durationMs":2040000,"activeMs":540000}]}
{"kind":"session","workspace":"w","anonymousId":"d","start":"1970-01-01T01:04:00.001Z","end":"1970-01-01T01:04:00.001Z","userId":"","accountId":"g","durationMs":0,"activeMs":0,"events":1,"modules":[]}
{"kind":"outcome","workspace":"w","source":"s","type":"group","accepted":1,"rejected":0}
{"kind":"outcome","workspace":"w","source":"s","type":"identify","accepted":2,"rejected":0}
{"kind":"outcome","workspace":"w","source":"s","type":"page","accepted":1,"rejected":0}
{"kind":"outcome","workspace":"w","source":"s","type":"track","accepted":1,"rejected":1}
`), "\n")
	got, err := oracle.Dump(calls())
	if err != nil {
		t.Fatal(err)
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("line %d\ngot  %v\nwant %v", i, got[min(i, len(got)):], want[min(i, len(want)):])
		}
	}
}

func TestTheOrderOfCallsMakesNoDifference(t *testing.T) {
	there, err := oracle.Dump(calls())
	if err != nil {
		t.Fatal(err)
	}
	back := calls()
	slices.Reverse(back)
	again, err := oracle.Dump(back)
	if err != nil || !slices.Equal(there, again) {
		t.Errorf("backwards: %v, %v", again, err)
	}
}

func TestTwoCallsOfOneIdentityAreATestsMistake(t *testing.T) {
	other := calls()[0]
	other.AccountID = "another"
	if _, err := oracle.Dump(append(calls(), other)); err == nil {
		t.Error("nobody noticed")
	}
}
