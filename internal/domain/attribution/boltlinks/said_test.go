package boltlinks_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/internal/domain/attribution/boltlinks"
	"github.com/sojournhq/sojourn/internal/domain/call"
)

// said checks links against rows, whose names are numbered from 1 on.
func said(t *testing.T, l bucket, rows ...call.Call) (problems []string) {
	t.Helper()
	var names []string
	number := func(name string) uint32 {
		if name == "" {
			return 0
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		return uint32(slices.Index(names, name) + 1)
	}
	inRows := boltlinks.NewSaidInRows()
	for _, c := range rows {
		inRows.Add(number(c.UserID), number(c.AccountID), c.TimeMS)
	}
	name := func(number uint32) (string, error) { return names[number-1], nil }
	if err := l.CheckSaid(inRows, name, l.deleted, func(message string) { problems = append(problems, message) }); err != nil {
		t.Fatal(err)
	}
	return problems
}

func TestALinkThatIsMissingOrOlderThanTheRowsSayIsNamed(t *testing.T) {
	row := func(user, account string, ms int64) call.Call {
		return call.Call{Type: call.Track, UserID: user, AccountID: account, TimeMS: ms}
	}
	inBucket(t, func(l bucket) {
		learn(t, l, row("u", "a", 5), row("v", "a", 7), row("gone", "a", 3))
		l.forget(t, "gone", 4)
		for name, c := range map[string]struct {
			rows []call.Call
			want string
		}{
			"the rows that the links are of":        {[]call.Call{row("u", "a", 3), row("u", "a", 5), row("v", "a", 7)}, ""},
			"rows that name not both":               {[]call.Call{row("u", "", 9), row("", "a", 9)}, ""},
			"a link that a call without a row made": {[]call.Call{row("v", "a", 6)}, ""},
			"a link that is too old":                {[]call.Call{row("u", "a", 4), row("u", "a", 6), row("u", "a", 5)}, "has a call of account 2 at 6, and the link to it is of 5"},
			"a link that is not there":              {[]call.Call{row("u", "b", 1)}, "user 1 has calls of account 2 and no link to it"},
			"rows that are still to be deleted":     {[]call.Call{row("gone", "a", 3)}, ""},
			"a row of after the deletion":           {[]call.Call{row("gone", "a", 3), row("gone", "a", 5)}, "no link to it"},
		} {
			problems := said(t, l, c.rows...)
			if want := min(len(c.want), 1); len(problems) != want || !strings.Contains(strings.Join(problems, ""), c.want) {
				t.Errorf("%s: %q, want %q", name, problems, c.want)
			}
		}
		got := said(t, l, row("x", "b", 1), row("x", "a", 1), row("w", "b", 1))
		if again := said(t, l, row("x", "b", 1), row("x", "a", 1), row("w", "b", 1)); len(got) != 3 || cmp.Diff(got, again) != "" {
			t.Errorf("named %q, then %q", got, again)
		}
	})
}
