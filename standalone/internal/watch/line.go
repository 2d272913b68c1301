package watch

import (
	"strings"

	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"

	"github.com/sojournhq/sojourn/standalone/internal/dump"
)

// line is what is printed of a change.
type line struct {
	Cursor   string   `json:"cursor"`
	Kind     string   `json:"kind"`
	Session  any      `json:"session"`
	Replaces []string `json:"replaces,omitempty"`
}

type ended struct {
	ID       string `json:"id"`
	Revision int64  `json:"revision"`
	dump.Session
	ModulesOmitted int64 `json:"modulesOmitted,omitempty"`
}

// removed is all that is left of a session that is no more.
type removed struct {
	ID       string `json:"id"`
	Revision int64  `json:"revision"`
}

func lineOf(c *sessionsv1.WatchSessionsResponse) line {
	s := c.GetSession()
	out := line{Cursor: c.GetCursor(), Kind: kindOf(c.GetKind()), Replaces: c.GetReplaces()}
	if c.GetKind() == sessionsv1.ChangeKind_CHANGE_KIND_REMOVED {
		out.Session = removed{s.GetId(), s.GetRevision()}
	} else {
		out.Session = ended{s.GetId(), s.GetRevision(), dump.SessionOf(s), s.GetModulesOmitted()}
	}
	return out
}

// kindOf is the kind as it is called in the contract, so that those which a newer service adds have names of their own too.
func kindOf(k sessionsv1.ChangeKind) string {
	return strings.ToLower(strings.TrimPrefix(k.String(), "CHANGE_KIND_"))
}
