package segment

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/workspace"

	"github.com/sojournhq/sojourn/gateway/internal/mapping"
)

// absent reports whether a member is missing or null.
func absent(v jsontext.Value) bool {
	return len(v) == 0 || v.Kind() == jsontext.KindNull
}

// text returns the text of a JSON string, or false for anything else.
func text(v jsontext.Value) (string, bool) {
	if v.Kind() != jsontext.KindString {
		return "", false
	}
	if inner := v[1 : len(v)-1]; bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner), true
	}
	unquoted, err := jsontext.AppendUnquote(nil, v)
	return string(unquoted), err == nil
}

// id returns the id in v: a string without the space around it, or the decimal text of an integer. It is empty where there is none,
// with a warning where a placeholder stands for none: a thousand strangers must never become one user.
func (p *parser) id(v jsontext.Value, field, code string, limit int) (string, *Problem) {
	if absent(v) {
		return "", nil
	}
	id, ok := text(v)
	if !ok {
		if id, ok = integer(v); !ok {
			return "", &Problem{code + "_invalid", field + " is not a string or an integer: send it as text", field}
		}
	}
	id = strings.TrimSpace(id)
	if id == "" || workspace.IsAbsentID(p.o.AbsentIDs, id) {
		p.warn(code+"_absent", field, field+" holds a placeholder and was taken as absent: leave it out or send the id")
		return "", nil
	}
	if len(id) > limit {
		return "", &Problem{code + "_invalid", fmt.Sprintf("%s is longer than %d bytes", field, limit), field}
	}
	return id, nil
}

// integer returns the decimal text of an integer, as it was sent.
func integer(v jsontext.Value) (string, bool) {
	if v.Kind() != jsontext.KindNumber || strings.ContainsAny(string(v), ".eE") {
		return "", false
	}
	if string(v) == "-0" {
		return "0", true
	}
	return string(v), true
}

// readIDs takes the ids and sees to it that those are there which the type and the source's switches require.
func (p *parser) readIDs() *Problem {
	c := &p.call
	for _, id := range []struct {
		to     *string
		target *mapping.Target
		code   string
		found  func(*Trace) *Origin
	}{
		{&c.UserID, &p.mapping.User, "user_id", func(t *Trace) *Origin { return &t.User }},
		{&c.AnonymousID, &p.mapping.Session, "anonymous_id", func(t *Trace) *Origin { return &t.Session }},
		{&c.AccountID, &p.mapping.Account, "group_id", func(t *Trace) *Origin { return &t.Account }},
	} {
		value, rule, problem := p.findID(id.target, id.code)
		if problem != nil {
			return problem
		}
		*id.to = value
		p.note(id.found, rule)
	}
	switch c.Type {
	case call.Alias:
		return p.readAlias()
	case call.Delete:
		return p.readDelete()
	default:
		return p.requireIDs()
	}
}

// findID returns the id at the first place that has one, and the rule that names the place.
func (p *parser) findID(t *mapping.Target, code string) (string, *mapping.Rule, *Problem) {
	for i := range t.Rules {
		r := &t.Rules[i]
		if !r.For(p.call.Type, p.event) {
			continue
		}
		if r.Path == "" {
			return r.Literal, r, nil
		}
		id, problem := p.id(p.at(r.Keys()), r.Path, code, call.MaxName)
		if id != "" || problem != nil {
			return id, r, problem
		}
	}
	return "", nil, nil
}

// readAlias takes what makes an alias call. Server libraries cannot send an anonymousId with it, so none is required.
func (p *parser) readAlias() *Problem {
	previous, problem := p.id(p.env.previousID, "previousId", "previous_id", call.MaxName)
	switch {
	case problem != nil:
		return problem
	case previous == "":
		return &Problem{"previous_id_required", "previousId is required: the id that is the same person as userId", "previousId"}
	case p.call.UserID == "":
		return p.missing(&p.mapping.User, Problem{"user_id_required", "userId is required: the id that previousId now goes by", "userId"})
	}
	p.call.PreviousID = previous
	return nil
}

// readDelete takes what makes a delete call: the user alone, in whatever account and session.
func (p *parser) readDelete() *Problem {
	if p.call.UserID == "" {
		return p.missing(&p.mapping.User, Problem{"user_id_required", "userId is required: the user who is to be deleted", "userId"})
	}
	p.call.AnonymousID, p.call.AccountID = "", ""
	return nil
}

func (p *parser) requireIDs() *Problem {
	switch {
	case p.call.Type == call.Group && p.call.AccountID == "":
		return p.missing(&p.mapping.Account, Problem{
			"group_id_required", "groupId is required: the account that the traits belong to", "groupId",
		})
	case p.o.RequireUserID && p.call.UserID == "":
		return p.missing(&p.mapping.User, Problem{
			"user_id_required", "userId is required: send it, or switch require_user_id off for this source", "userId",
		})
	case p.o.RequireAnonymousID && p.call.AnonymousID == "":
		return p.missing(&p.mapping.Session, Problem{
			"anonymous_id_required",
			"anonymousId is required, the session id: send it, or switch require_anonymous_id off for this source", "anonymousId",
		})
	}
	p.warnOfAbsent()
	return nil
}

// warnOfAbsent warns of ids that the contract asks for and the call does not have: server libraries send no anonymousId, and nobody has a
// userId before a login.
func (p *parser) warnOfAbsent() {
	c := &p.call
	if c.UserID == "" {
		counts := "it counts for the user whom its session turns out to have"
		switch {
		case c.Type == call.Identify:
			counts = "its traits are nobody's and were not kept"
		case c.AnonymousID == "":
			counts = "it counts for no user"
		}
		p.warnOnce(p.missing(&p.mapping.User, Problem{"user_id_absent", "the call has no userId: " + counts, "userId"}))
	}
	if c.AnonymousID == "" {
		p.warnOnce(p.missing(&p.mapping.Session, Problem{
			"anonymous_id_absent", "the call has no anonymousId, the session id: it is part of no session", "anonymousId",
		}))
	}
}

// warnOnce warns unless there is a warning of that code: what stood in the place of an id is told already.
func (p *parser) warnOnce(warning *Problem) {
	if !slices.ContainsFunc(p.warnings, func(w Problem) bool { return w.Code == warning.Code }) {
		p.warnings = append(p.warnings, *warning)
	}
}

// missing returns the problem that an id is missing, with the places at which the source is mapped to look for it.
func (p *parser) missing(t *mapping.Target, problem Problem) *Problem {
	if t.Own {
		problem.Message += "; for this source it is looked for at: " + cmp.Or(t.Places(p.call.Type), "no place, in calls of this type")
	}
	return &problem
}
