package oracle

import (
	"cmp"
	"slices"
	"time"
)

type event struct {
	Kind      string `json:"kind"`
	Workspace string `json:"workspace"`
	Time      string `json:"time"`
	MessageID string `json:"messageId"`
	Feature   string `json:"feature"`
	Module    string `json:"module"`
	UserID    string `json:"userId"`
	AccountID string `json:"accountId"`
}

// events are the uses of features, by time and messageId.
func (w *workspace) events() (lines []string) {
	for _, c := range w.good {
		if c.Feature != "" {
			account := w.account(c.AccountID, c.UserID)
			lines = append(lines, line(event{"event", w.name, clock(c.TimeMS), c.MessageID, c.Feature, c.Module, c.UserID, account}))
		}
	}
	return lines
}

type outcome struct {
	Kind      string `json:"kind"`
	Workspace string `json:"workspace"`
	Source    string `json:"source"`
	Type      string `json:"type"`
	Accepted  int64  `json:"accepted"`
	Rejected  int64  `json:"rejected"`
}

// outcomes are the books, by source and type.
func (w *workspace) outcomes() (lines []string) {
	var books []outcome
	for _, c := range w.all {
		i := slices.IndexFunc(books, func(o outcome) bool { return o.Source == c.Source && o.Type == c.Type })
		if i < 0 {
			i, books = len(books), append(books, outcome{Kind: "outcome", Workspace: w.name, Source: c.Source, Type: c.Type})
		}
		if c.Bad {
			books[i].Rejected++
		} else {
			books[i].Accepted++
		}
	}
	slices.SortFunc(books, func(a, b outcome) int { return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Type, b.Type)) })
	for _, o := range books {
		lines = append(lines, line(o))
	}
	return lines
}

type user struct {
	Kind      string   `json:"kind"`
	Workspace string   `json:"workspace"`
	AccountID string   `json:"accountId"`
	UserID    string   `json:"userId"`
	Traits    Traits   `json:"traits"`
	Problems  []string `json:"problems"`
}

// users are all who were named, in every account that they were named in, by userId and account.
func (w *workspace) users() (lines []string) {
	calls := map[[2]string][]Call{}
	for _, c := range w.good {
		if c.UserID != "" {
			key := [2]string{c.UserID, w.account(c.AccountID, c.UserID)}
			calls[key] = append(calls[key], c)
		}
	}
	for _, key := range sorted(calls) {
		traits, _ := merged(calls[key], "identify")
		lines = append(lines, line(user{"user", w.name, key[1], key[0], traits, []string{}}))
	}
	return lines
}

type account struct {
	Kind       string         `json:"kind"`
	Workspace  string         `json:"workspace"`
	AccountID  string         `json:"accountId"`
	Complete   bool           `json:"complete"`
	Traits     Traits         `json:"traits"`
	Dimensions map[string]any `json:"dimensions"`
	Problems   []string       `json:"problems"`
}

// accounts are all that were named, by id.
func (w *workspace) accounts() (lines []string) {
	calls := map[[2]string][]Call{}
	for _, c := range w.good {
		if c.AccountID != "" {
			key := [2]string{c.AccountID}
			calls[key] = append(calls[key], c)
		}
	}
	for _, key := range sorted(calls) {
		traits, problems := merged(calls[key], "group")
		complete := traits["name"] != nil && traits["createdAt"] != nil
		lines = append(lines, line(account{"account", w.name, key[0], complete, traits, map[string]any{}, problems}))
	}
	return lines
}

// sorted returns the keys in order, by their first part and then by their second.
func sorted(calls map[[2]string][]Call) (keys [][2]string) {
	for key := range calls {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	return keys
}

// merged lets the calls of a type, which are sorted, overwrite each other field by field.
func merged(calls []Call, kind string) (traits Traits, problems []string) {
	traits, problems = Traits{}, []string{}
	for _, c := range calls {
		for name, value := range c.Traits {
			if c.Type == kind {
				traits[name] = value
			}
		}
	}
	for name, value := range traits {
		switch {
		case value == nil:
			delete(traits, name)
		case name == "tier" && !slices.Contains(Tiers, value.(string)):
			delete(traits, name)
			problems = append(problems, "tier_unknown")
		case name == "createdAt":
			at, err := time.Parse(time.RFC3339, value.(string))
			if err != nil {
				panic(err) // the traffic's own mistake
			}
			traits[name] = clock(at.UnixMilli())
		}
	}
	return traits, problems
}
