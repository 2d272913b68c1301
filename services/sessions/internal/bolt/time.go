package bolt

import (
	"bytes"
	"context"
	"fmt"

	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/keys"
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
	into  *session.TimeSums
	row   daySums
}

// timeReader is not ok for a module that nobody ever used.
func (t *tables) timeReader(q session.TimeQuery, into *session.TimeSums) (r *timeReader, ok bool, err error) {
	r = &timeReader{tables: t, days: q.Days, module: session.AllModules, known: map[session.Name]string{session.AllModules: ""}, into: into}
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
	cursor := r.tables.days.Cursor()
	prefix := o.prefix()
	key, sealed := cursor.Seek(dayID{o.owner, r.days.From}.key())
	for bytes.HasPrefix(key, prefix) {
		d, module, further, err := parseDayKey(key)
		if err != nil {
			return err
		}
		switch {
		case d > r.days.To:
			return nil
		case !further:
			err = r.addDay(o, d, key, sealed)
		case r.every || module == r.module:
			err = r.addFurther(o, d, module, key, sealed)
		}
		if err != nil {
			return err
		}
		if to := r.skip(dayID{o.owner, d}, further); to != nil {
			key, sealed = cursor.Seek(to)
		} else {
			key, sealed = cursor.Next()
		}
	}
	return nil
}

// skip returns where to go on behind a row of a day if there may be rows of modules that are not asked for: at the row of the one that is,
// or the day after; nil if the next row is it.
func (r *timeReader) skip(id dayID, further bool) []byte {
	if r.every || !further && r.row.more == 0 {
		return nil
	}
	if _, found := r.row.find(r.module); !further && !found && r.module != session.AllModules {
		return keys.AppendUint32(id.key(), uint32(r.module))
	}
	return dayID{id.owner, id.day + 1}.key()
}

// addDay adds what the row of a day has of what is asked for.
func (r *timeReader) addDay(o owned, d day.Day, key, sealed []byte) error {
	if err := decodeDay(&r.row, key, sealed); err != nil {
		return err
	}
	if r.module == session.AllModules && !r.every {
		return r.add(o, d, moduleSum{r.module, r.row.total})
	}
	for _, m := range r.row.modules {
		if !r.every && m.module != r.module {
			continue
		}
		if err := r.add(o, d, m); err != nil {
			return err
		}
	}
	return nil
}

// addFurther adds the sum of a module that has a row of its own.
func (r *timeReader) addFurther(o owned, d day.Day, module session.Name, key, sealed []byte) error {
	s, err := decodeSum(key, sealed)
	if err != nil {
		return err
	}
	return r.add(o, d, moduleSum{module, s})
}

func (r *timeReader) add(o owned, d day.Day, m moduleSum) error {
	name, known := r.known[m.module]
	if !known {
		var err error
		if name, err = r.names.Name(uint32(m.module)); err != nil {
			return err
		}
		r.known[m.module] = name
	}
	r.into.Add(o.accountID, o.userID, name, d, m.Sum)
	return nil
}
