package segment

import (
	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/workspace"
)

// Deletes says which delete calls of a source are taken. A write key may stand in a web page, so it alone deletes nobody.
type Deletes int8

// The rules for delete calls.
const (
	DeletesRefused Deletes = iota
	DeletesSigned          // those that the signature of their request covers
	DeletesAllowed
)

// CodeDeleteNotAllowed is the code of a delete call of a source that may send none.
const CodeDeleteNotAllowed = "delete_not_allowed"

func deletesOf(s *workspace.Source) Deletes {
	switch {
	case s.AllowDelete:
		return DeletesAllowed
	case len(s.SharedSecrets) > 0: // it takes no request that is not signed
		return DeletesSigned
	default:
		return DeletesRefused
	}
}

// checkDelete returns why a delete call is not taken, or nil.
func (p *parser) checkDelete() *Problem {
	switch {
	case p.call.Type != call.Delete, p.o.Deletes == DeletesAllowed, p.o.Deletes == DeletesSigned && !p.o.Unsigned:
		return nil
	case p.o.Deletes == DeletesSigned:
		return &Problem{
			CodeDeleteNotAllowed, "only the first call of a signed array may be a delete, because the signature covers no other: " +
				"send it first or alone, or set allow_delete for the source in the workspaces file", "type",
		}
	}
	return &Problem{
		CodeDeleteNotAllowed, "the source may not delete users: set allow_delete for it in the workspaces file, or shared_secrets " +
			"so that its requests are signed, or delete with an admin token", "type",
	}
}
