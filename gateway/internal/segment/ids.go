package segment

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sojournhq/sojourn/internal/domain/call"
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
	if id == "" || slices.Contains(p.o.AbsentIDs, id) {
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
		to          *string
		value       jsontext.Value
		field, code string
	}{
		{&c.UserID, p.env.userID, "userId", "user_id"},
		{&c.AnonymousID, p.env.anonymousID, "anonymousId", "anonymous_id"},
		{&c.AccountID, p.env.groupID, "groupId", "group_id"},
	} {
		var problem *Problem
		if *id.to, problem = p.id(id.value, id.field, id.code, call.MaxName); problem != nil {
			return problem
		}
	}
	if problem := p.readContextAccount(); problem != nil {
		return problem
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

// readContextAccount takes the account from the context where the call itself names none: its own context, then that of its batch.
func (p *parser) readContextAccount() *Problem {
	if p.call.AccountID != "" {
		return nil
	}
	for _, groupID := range []jsontext.Value{member(p.env.context, "groupId"), p.o.Batch.GroupID} {
		if p.call.AccountID != "" {
			return nil
		}
		var problem *Problem
		p.call.AccountID, problem = p.id(groupID, "context.groupId", "group_id", call.MaxName)
		if problem != nil {
			return problem
		}
	}
	return nil
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
		return &Problem{"user_id_required", "userId is required: the id that previousId now goes by", "userId"}
	}
	p.call.PreviousID = previous
	return nil
}

// readDelete takes what makes a delete call: the user alone, in whatever account and session.
func (p *parser) readDelete() *Problem {
	if p.call.UserID == "" {
		return &Problem{"user_id_required", "userId is required: the user who is to be deleted", "userId"}
	}
	p.call.AnonymousID, p.call.AccountID = "", ""
	return nil
}

func (p *parser) requireIDs() *Problem {
	switch {
	case p.call.Type == call.Group && p.call.AccountID == "":
		return &Problem{"group_id_required", "groupId is required: the account that the traits belong to", "groupId"}
	case p.o.RequireUserID && p.call.UserID == "":
		return &Problem{
			"user_id_required", "userId is required: send it, or switch require_user_id off for this source", "userId",
		}
	case p.o.RequireAnonymousID && p.call.AnonymousID == "":
		return &Problem{
			"anonymous_id_required",
			"anonymousId is required, the session id: send it, or switch require_anonymous_id off for this source", "anonymousId",
		}
	}
	return nil
}

// member returns a member of an object; nothing where it is missing or v is no object.
func member(v jsontext.Value, want string) jsontext.Value {
	var found jsontext.Value
	if v.Kind() != jsontext.KindBeginObject {
		return nil
	}
	// What is read here was read before, so it is readable.
	_ = members(v, func(name string, value jsontext.Value) bool {
		if name == want {
			found = value
		}
		return found == nil
	})
	return found
}
