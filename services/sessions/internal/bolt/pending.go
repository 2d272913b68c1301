package bolt

import (
	"fmt"

	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// pendingSums is by how much the daily sums are to change, so that each is read and written once a batch, however many of its calls change
// it. Until they are stored the table does not say what the sessions do.
type pendingSums struct {
	changes []sumChange // in the order in which they were first changed, so that the same calls always write the same file
	known   map[sumID]int
}

type sumID struct {
	owner
	session.Part
}

type sumChange struct {
	sumID

	by session.Sum
}

func (p *pendingSums) add(id sumID, by session.Sum) {
	i, ok := p.known[id]
	if !ok {
		p.known[id] = len(p.changes)
		p.changes = append(p.changes, sumChange{id, by})
		return
	}
	p.changes[i].by = p.changes[i].by.Plus(by)
}

// storeSums stores the sums that are pending.
func (t *tables) storeSums() error {
	pending := t.pending
	t.pending = nil
	for _, c := range pending.changes {
		if c.by == (session.Sum{}) {
			continue
		}
		if err := t.addStoredSum(c.owner, c.Part, c.by); err != nil {
			return fmt.Errorf("store a daily sum: %w", err)
		}
	}
	return nil
}
