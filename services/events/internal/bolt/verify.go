package bolt

import (
	"context"
	"fmt"

	"github.com/sojournhq/sojourn/internal/domain/attribution/boltlinks"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/internal/kit/soundness"
	storagev1 "github.com/sojournhq/sojourn/proto/sojourn/events/storage/v1"
)

// Verify examines the file that the options name, without changing it, and tells found of everything in it that is not as Record left it:
// damaged values, names and links that do not hold both ways, and sums that are not those of the events they count.
func Verify(ctx context.Context, o boltdb.Options, found func(soundness.Problem)) error {
	o = Mark(o)
	return soundness.Examine(ctx, o, func(tx *boltdb.Tx) error {
		root := tx.Bucket(workspacesBucket)
		if root == nil {
			return nil // nothing was ever recorded
		}
		err := root.ForEachBucket(func(name []byte) error {
			return verifyWorkspace(ctx, string(workspacesBucket)+"/"+string(name), root.Bucket(name), found)
		})
		if err != nil {
			return err
		}
		return root.ForEach(func(name, value []byte) error {
			path := string(workspacesBucket) + "/" + string(name)
			found(soundness.Problem{Table: path, Message: fmt.Sprintf("%d bytes where a workspace belongs", len(value))})
			return nil
		})
	}, found)
}

// verifier proves the tables of one workspace.
type verifier struct {
	*tables

	path  string
	found func(soundness.Problem)
	sound map[named]bool // what is known of numbers that rows hold
	said  *boltlinks.SaidInRows
}

// named is a number that stands for a name of a kind.
type named struct {
	kind   byte
	number uint32
}

func verifyWorkspace(ctx context.Context, path string, mine *boltdb.Bucket, found func(soundness.Problem)) error {
	for _, table := range allTables {
		if mine.Bucket(table) == nil {
			found(soundness.Problem{Table: path, Message: fmt.Sprintf("there is no table %q", table)})
			return nil
		}
	}
	v := &verifier{tables: open(mine), path: path, found: found, sound: map[named]bool{}, said: boltlinks.NewSaidInRows()}
	v.names.Check(v.into(namesTable))
	v.links.Check(v.into(linksTable))
	if err := v.eventRows(ctx); err != nil {
		return err
	}
	if err := v.links.CheckSaid(v.said, v.names.Name, v.gone, v.into(linksTable)); err != nil {
		v.into(tombstonesTable)(err.Error())
	}
	rows, err := v.usageRows(ctx)
	if err != nil {
		return err
	}
	return v.sums(ctx, rows)
}

// into returns where to report what is wrong with a table.
func (v *verifier) into(table []byte) func(string) {
	return func(message string) {
		v.found(soundness.Problem{Table: v.path + "/" + string(table), Message: message})
	}
}

// eventRows proves every event readable and its names known.
func (v *verifier) eventRows(ctx context.Context) error {
	report := v.into(eventsTable)
	return each(ctx, v.events, func(key, sealed []byte) {
		var row storagev1.EventRow
		at, err := parseEventKey(key)
		if err == nil && day.Of(at.TimeMS) > day.Max {
			err = fmt.Errorf("event: %w: no possible time under key %x", record.ErrCorrupt, key)
		}
		if err == nil {
			err = record.Unmarshal(key, sealed, &row)
		}
		if err != nil {
			report(err.Error())
			return
		}
		v.checkNames(key, report, row.GetFeature(), row.GetModule(), row.GetUser(), row.GetAccount())
		v.said.Add(row.GetUser(), row.GetAccount(), at.TimeMS)
		if row.GetFeature() == 0 {
			report(fmt.Sprintf("a use of no feature, under key %x", key))
		}
	})
}

// checkNames reports the numbers of a row that do not stand for a name of their kind.
func (v *verifier) checkNames(key []byte, report func(string), feature, module, user, account uint32) {
	for _, n := range []named{{kindFeature, feature}, {kindModule, module}, {kindUser, user}, {kindAccount, account}} {
		sound, known := v.sound[n]
		if !known {
			name, err := v.names.Name(n.number)
			back, _, errBack := v.names.Find(n.kind, name)
			sound = err == nil && errBack == nil && back == n.number
			v.sound[n] = sound
		}
		if !sound {
			report(fmt.Sprintf("number %d is no name of kind %q, under key %x", n.number, n.kind, key))
		}
	}
}

// each calls do for every row of a table, unless nobody waits for it any more.
func each(ctx context.Context, table *boltdb.Bucket, do func(key, sealed []byte)) error {
	cursor := table.Cursor()
	rows := 0
	for key, sealed := cursor.First(); key != nil; key, sealed = cursor.Next() {
		if rows++; rows%rowsPerLook == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		do(key, sealed)
	}
	return nil
}
