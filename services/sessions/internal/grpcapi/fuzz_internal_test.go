package grpcapi

import (
	"errors"
	"strconv"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/page"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// FuzzWhatClientsHandBack reads cursors and ids of sessions: whatever is read is written the same again.
func FuzzWhatClientsHandBack(f *testing.F) {
	f.Add("")
	f.Add("AAAAAAAAAAA")
	f.Add(formatCursor(session.Cursor{Epoch: 1<<63 | 7, Number: 42}))
	f.Fuzz(func(t *testing.T, text string) {
		if c, ok := parseCursor(text); ok && text != "" && formatCursor(c) != text {
			t.Errorf("the cursor %q became %q", text, formatCursor(c))
		}
		if id, ok := parseID(text); ok && formatID(id) != text {
			t.Errorf("the id %q became %q", text, formatID(id))
		}
	})
}

// FuzzPositions reads page tokens that hold anything: what they name is a place in the list, or they are refused.
func FuzzPositions(f *testing.F) {
	f.Add("s1", "\x01\x99\x00\x00\x00\x00\x00m", "Billing", "20000")
	f.Add("s1", "\x01\x99\x00\x00\x00\x00\x01\x01\x98\x00\x00\x00\x00m", "", "4294967296")
	f.Add("", "", "", "")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		list := &sessionsv1.ListSessionsRequest{Workspace: "w"}
		time := &sessionsv1.QueryTimeRequest{Workspace: "w"}
		var errList, errTime error
		list.PageToken, errList = page.Token(list, a, b)
		time.PageToken, errTime = page.Token(time, a, b, c, d)
		if err := errors.Join(errList, errTime); err != nil {
			t.Fatal(err)
		}
		switch first, err := parsePosition(list); {
		case err != nil && !errors.Is(err, page.ErrToken):
			t.Errorf("the place %q, %q: %v", a, b, err)
		case err == nil:
			if again, err := pageToken(list, *first); err != nil || again != list.GetPageToken() {
				t.Errorf("the place %q, %q became another: %+v, %v", a, b, first, err)
			}
		}
		g, err := parseGroup(time)
		n, errDay := strconv.ParseUint(d, 10, 32)
		isGroup := err == nil && g.AccountID == a && g.UserID == b && g.Module == c && uint64(g.Day) == n
		if errDay == nil && !isGroup || errDay != nil && !errors.Is(err, page.ErrToken) {
			t.Errorf("the group of day %q: %+v, %v", d, g, err)
		}
	})
}
