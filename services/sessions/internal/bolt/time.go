package bolt

import (
	"bytes"
	"context"
	"fmt"

	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// Time implements session.Store. It adds up daily sums: of all modules together where the query does not tell modules apart.
func (s *Store) Time(ctx context.Context, workspace string, q session.TimeQuery) ([]session.TimeRow, error) {
	sums := session.NewTimeSums(q)
	err := s.db.View(func(tx *boltdb.Tx) error {
		t := s.readable(tx, workspace)
		if t == nil {
			return nil
		}
		owners, err := t.owners(q.AccountID, q.UserID)
		if err != nil {
			return err
		}
		read, ok, err := t.timeReader(q, sums)
		if err != nil || !ok {
			return err
		}
		for _, o := range owners {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := read.owner(o); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("query time: %w", err)
	}
	return sums.Rows(), nil
}

// timeReader reads the daily sums that a query asks for.
type timeReader struct {
	*tables

	days   day.Span
	module session.Name
	// every says that all modules are asked for, one by one.
	every bool
	known map[session.Name]string
	sums  *session.TimeSums
}

// timeReader is not ok for a module that nobody ever used.
func (t *tables) timeReader(q session.TimeQuery, into *session.TimeSums) (r *timeReader, ok bool, err error) {
	r = &timeReader{tables: t, days: q.Days, module: session.AllModules, known: map[session.Name]string{session.AllModules: ""}, sums: into}
	switch {
	case q.Module != nil:
		number, ok, err := t.names.Find(kindModule, *q.Module)
		r.module = session.Name(number)
		return r, ok, err
	case q.By[session.ByModule]:
		r.every = true
	}
	return r, true, nil
}

// owner adds the sums of one owner.
func (r *timeReader) owner(o owned) error {
	module := r.module
	if r.every {
		module = 0
	}
	cursor := r.tables.sums.Cursor()
	prefix := o.prefix()
	key, sealed := cursor.Seek(sumKey(o.owner, session.Part{Module: module, Day: r.days.From}))
	for bytes.HasPrefix(key, prefix) {
		p, err := parseSumPart(key)
		if err != nil {
			return err
		}
		switch {
		case p.Module == session.AllModules && r.every, p.Module != module && !r.every, p.Day > r.days.To && !r.every:
			return nil
		case p.Day < r.days.From:
			key, sealed = cursor.Seek(sumKey(o.owner, session.Part{Module: p.Module, Day: r.days.From}))
		case p.Day > r.days.To:
			key, sealed = cursor.Seek(sumKey(o.owner, session.Part{Module: p.Module + 1, Day: r.days.From}))
		default:
			if err := r.add(o, p, key, sealed); err != nil {
				return err
			}
			key, sealed = cursor.Next()
		}
	}
	return nil
}

func (r *timeReader) add(o owned, p session.Part, key, sealed []byte) error {
	s, err := decodeSum(key, sealed)
	if err != nil {
		return err
	}
	name, known := r.known[p.Module]
	if !known {
		if name, err = r.names.Name(uint32(p.Module)); err != nil {
			return err
		}
		r.known[p.Module] = name
	}
	r.sums.Add(o.accountID, o.userID, name, p.Day, s)
	return nil
}
