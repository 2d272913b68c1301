package oracle

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Dump returns the lines that sojourn dump must print, in order, when it was sent these calls, in whatever order, some of them more than once.
// It fails if two different calls are the same one, because then nobody can say which counts.
func Dump(calls []Call) ([]string, error) {
	byWorkspace := map[string][]Call{}
	seen := map[identity]Call{}
	for _, c := range calls {
		id := identity{c.Workspace, c.MessageID, c.TimeMS}
		if first, again := seen[id]; again {
			if fmt.Sprint(first) != fmt.Sprint(c) {
				return nil, fmt.Errorf("two calls are called %s", c.MessageID)
			}
			continue
		}
		seen[id] = c
		byWorkspace[c.Workspace] = append(byWorkspace[c.Workspace], c)
	}
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(byWorkspace)) {
		w := newWorkspace(name, byWorkspace[name])
		lines = slices.Concat(lines, w.events(), w.users(), w.accounts(), w.sessions(), w.outcomes())
	}
	return lines, nil
}

type identity struct {
	workspace, messageID string
	timeMS               int64
}

// workspace is all calls of one workspace, each once, in the order of their times; of two at the same time the greater messageId is the later.
type workspace struct {
	name      string
	all, good []Call
	accountOf map[string]string // of every user who belongs to exactly one
}

func newWorkspace(name string, calls []Call) *workspace {
	slices.SortFunc(calls, func(a, b Call) int {
		return cmp.Or(cmp.Compare(a.TimeMS, b.TimeMS), cmp.Compare(a.MessageID, b.MessageID))
	})
	w := &workspace{name: name, all: calls}
	w.good = slices.DeleteFunc(slices.Clone(calls), func(c Call) bool { return c.Bad })
	w.accountOf = attribute(w.good)
	return w
}

// attribute says of every user, also of those that are known by alias only, to which account they belong, if all calls that say so agree.
func attribute(calls []Call) map[string]string {
	named := map[string]map[string]bool{} // user → accounts that calls named with them
	also := map[string][]string{}         // user → other ids of the same person
	for _, c := range calls {
		if c.UserID != "" && c.AccountID != "" {
			if named[c.UserID] == nil {
				named[c.UserID] = map[string]bool{}
			}
			named[c.UserID][c.AccountID] = true
		}
		if c.Type == "alias" {
			also[c.UserID] = append(also[c.UserID], c.PreviousID)
			also[c.PreviousID] = append(also[c.PreviousID], c.UserID)
		}
	}
	belongs := map[string]string{}
	for _, c := range calls {
		accounts := map[string]bool{}
		for _, id := range person(c.UserID, also) {
			maps.Copy(accounts, named[id])
		}
		if len(accounts) == 1 {
			belongs[c.UserID] = slices.Collect(maps.Keys(accounts))[0]
		}
	}
	return belongs
}

// person returns all ids of the person that has one of them.
func person(id string, also map[string][]string) []string {
	ids := []string{id}
	for i := 0; i < len(ids); i++ {
		for _, other := range also[ids[i]] {
			if !slices.Contains(ids, other) {
				ids = append(ids, other)
			}
		}
	}
	return ids
}

// account is the account that something counts for, by whom it names.
func (w *workspace) account(named, user string) string {
	if named != "" {
		return named
	}
	return w.accountOf[user]
}

// clock writes a time as a dump does.
func clock(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }

// line writes an object as a dump does: on one line, with no character escaped that need not be.
func line(object any) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(object); err != nil {
		panic(err) // the objects below hold nothing that JSON cannot
	}
	return strings.TrimSuffix(text.String(), "\n")
}
