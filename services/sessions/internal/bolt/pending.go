package bolt

import (
	"fmt"
	"slices"

	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// pendingSums is by how much the daily sums are to change, so that each row is read and written once a batch, however many of its calls
// change it. Until they are stored the table does not say what the sessions do.
type pendingSums struct {
	changes []dayChange // in the order in which they were first changed, so that the same calls always write the same file
	known   map[dayID]int
}

// dayChange is by how much the sums of one day are to change, by module.
type dayChange struct {
	dayID

	by []moduleSum
}

func (p *pendingSums) add(id dayID, module session.Name, by session.Sum) {
	n, ok := p.known[id]
	if !ok {
		n = len(p.changes)
		p.known[id] = n
		p.changes = append(p.changes, dayChange{dayID: id})
	}
	c := &p.changes[n]
	i, found := findModule(c.by, module)
	if !found {
		c.by = slices.Insert(c.by, i, moduleSum{module: module})
	}
	c.by[i].Sum = c.by[i].Plus(by)
}

// storeSums stores the sums that are pending.
func (t *tables) storeSums() error {
	for _, c := range t.pending.changes {
		if err := t.dayRows.add(c.dayID, c.by); err != nil {
			return fmt.Errorf("store daily sums: %w", err)
		}
	}
	clear(t.pending.known)
	t.pending.changes = t.pending.changes[:0]
	return nil
}
