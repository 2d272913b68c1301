package bolt

import (
	"fmt"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/record"
)

// sums are the daily sums that a transaction changes: each is read once and written once, however many events it counts.
type sums struct {
	table *boltdb.Bucket
	rows  []sum // in the order in which they were first changed
	known map[usageKey]int
	key   []byte // room for one
}

type sum struct {
	usageKey
	usageRow
}

func newSums(table *boltdb.Bucket) sums { return sums{table: table, known: map[usageKey]int{}} }

// add adds an event to the sum of its day, so far in memory.
func (s *sums) add(k usageKey, ms int64) error {
	i, ok := s.known[k]
	if !ok {
		s.key = k.append(s.key[:0])
		row := usageRow{firstMS: ms, lastMS: ms}
		if sealed := s.table.Get(s.key); sealed != nil {
			var err error
			if row, err = readUsage(s.key, sealed); err != nil {
				return err
			}
		}
		i, s.known[k] = len(s.rows), len(s.rows)
		s.rows = append(s.rows, sum{k, row})
	}
	row := &s.rows[i].usageRow
	row.uses++
	row.firstMS, row.lastMS = min(row.firstMS, ms), max(row.lastMS, ms)
	return nil
}

// store writes the sums.
func (s *sums) store() error {
	var value []byte
	for i := range s.rows {
		if r := &s.rows[i].usageRow; r.uses < 1 || r.firstMS > r.lastMS {
			return fmt.Errorf("%w: %d uses between %d and %d", boltdb.ErrBroken, r.uses, r.firstMS, r.lastMS)
		}
		s.key = s.rows[i].usageKey.append(s.key[:0])
		value = record.Seal(s.key, s.rows[i].usageRow.append(value[:0]))
		if err := s.table.Put(s.key, value); err != nil {
			return fmt.Errorf("store usage: %w", err)
		}
	}
	return nil
}
