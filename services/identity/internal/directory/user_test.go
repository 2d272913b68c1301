package directory_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/internal/domain/attribution"
	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

func row(account string, ms int64, text string) directory.User {
	return directory.User{UserKey: directory.UserKey{UserID: "u", AccountID: account}, LastSeenMS: ms, Fields: []profile.Field{{
		Path: "email", Value: call.Value{Kind: call.String, Text: text}, At: call.Position{TimeMS: ms},
	}}}
}

func TestWhatNamedNoAccountIsListedUnderTheOneThatTheUserResolvesTo(t *testing.T) {
	unknown, known := attribution.Resolution{State: attribution.Unknown}, attribution.Resolution{State: attribution.Known, Account: "b"}
	ambiguous := attribution.Resolution{State: attribution.Ambiguous, Candidates: []string{"a", "b"}}
	three := []directory.User{row("", 1, "x"), row("a", 2, "y"), row("b", 3, "z")}
	for name, c := range map[string]struct {
		rows       []directory.User
		resolution attribution.Resolution
		want       []directory.User
	}{
		"unknown":                      {[]directory.User{row("", 1, "x")}, unknown, []directory.User{row("", 1, "x")}},
		"known, without a row":         {[]directory.User{row("", 1, "x")}, known, []directory.User{row("b", 1, "x")}},
		"known, newer than the row":    {[]directory.User{row("", 2, "x"), row("b", 1, "y")}, known, []directory.User{row("b", 2, "x")}},
		"known, older than the row":    {[]directory.User{row("", 1, "x"), row("b", 2, "y")}, known, []directory.User{row("b", 2, "y")}},
		"ambiguous":                    {three, ambiguous, three},
		"every call named the account": {[]directory.User{row("b", 1, "x")}, known, []directory.User{row("b", 1, "x")}},
	} {
		if diff := cmp.Diff(c.want, directory.Listings(c.rows, c.resolution)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
