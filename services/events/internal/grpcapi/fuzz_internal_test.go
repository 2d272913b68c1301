package grpcapi

import (
	"errors"
	"strconv"
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/page"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
)

// FuzzPositions reads page tokens that hold anything: what they name is a place in the list, or they are refused.
func FuzzPositions(f *testing.F) {
	f.Add("0", "m", "-1", "", "")
	f.Add("acme", "ada", "Billing", "Invoice Created", "20000")
	f.Add("9214646400000", "", "0", "", "4294967296")
	f.Add("1", "", "x", "", "")
	f.Fuzz(func(t *testing.T, a, b, c, d, e string) {
		events := &eventsv1.ListEventsRequest{Workspace: "w"}
		usage := &eventsv1.QueryUsageRequest{Workspace: "w"}
		var errEvents, errUsage error
		events.PageToken, errEvents = page.Token(events, a, b, c)
		usage.PageToken, errUsage = page.Token(usage, a, b, c, d, e)
		if err := errors.Join(errEvents, errUsage); err != nil {
			t.Fatal(err)
		}
		p, err := parsePosition(events)
		timeMS, errTime := strconv.ParseInt(a, 10, 64)
		originalMS, errOriginal := strconv.ParseInt(c, 10, 64)
		want := call.Position{TimeMS: timeMS, MessageID: b, OriginalMS: originalMS}
		isPlace := errTime == nil && errOriginal == nil && timeMS >= 0 && timeMS <= call.MaxTimeMS
		if isPlace && (err != nil || *p != want) || !isPlace && !errors.Is(err, page.ErrToken) {
			t.Errorf("the position %q, %q, %q: %+v, %v", a, b, c, p, err)
		}
		g, err := parseGroup(usage)
		n, errDay := strconv.ParseUint(e, 10, 32)
		isGroup := err == nil && g.AccountID == a && g.UserID == b && g.Module == c && g.Feature == d && uint64(g.Day) == n
		if errDay == nil && !isGroup || errDay != nil && !errors.Is(err, page.ErrToken) {
			t.Errorf("the group of day %q: %+v, %v", e, g, err)
		}
	})
}
