package bolt

import (
	"context"
	"fmt"

	"github.com/sojournhq/sojourn/internal/domain/attribution/boltlinks"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/internal/kit/soundness"
)

// Verify examines the file that the options name, without changing it, and tells found of everything in it that is not as Record left it:
// damaged values, links that do not hold both ways, and books that are not those of the ledger and the rejections.
func Verify(ctx context.Context, o boltdb.Options, found func(soundness.Problem)) error {
	o = Mark(o)
	return soundness.Examine(ctx, o, func(tx *boltdb.Tx) error {
		root := tx.Bucket(workspacesBucket)
		if root == nil {
			return nil // nothing was ever recorded
		}
		return root.ForEachBucket(func(name []byte) error {
			v := &verifier{
				mine: root.Bucket(name), path: string(workspacesBucket) + "/" + string(name), found: found,
				accepted: map[string]int64{}, rejected: map[string]int64{},
			}
			return v.all(ctx)
		})
	}, found)
}

// verifier proves the tables of one workspace.
type verifier struct {
	mine  *boltdb.Bucket
	path  string
	found func(soundness.Problem)

	// What the books count for every source, less what there is.
	accepted, rejected map[string]int64
}

func (v *verifier) wrong(table []byte, format string, args ...any) {
	v.found(soundness.Problem{Table: v.path + "/" + string(table), Message: fmt.Sprintf(format, args...)})
}

func (v *verifier) all(ctx context.Context) error {
	for _, table := range allTables {
		if v.mine.Bucket(table) == nil && string(table) != string(keptTable) { // which files from before it have not
			v.wrong(table, "there is no such table")
			return nil
		}
	}
	boltlinks.In(v.mine.Bucket(linksTable)).Check(func(message string) { v.wrong(linksTable, "%s", message) })
	for _, table := range allTables {
		if err := v.rows(ctx, table); err != nil {
			return err
		}
	}
	for source, n := range v.accepted {
		if n != 0 {
			v.wrong(booksTable, "source %q has %d more accepted calls than the ledger", source, n)
		}
	}
	for source, n := range v.rejected {
		if n != 0 {
			v.wrong(booksTable, "source %q has %d more rejected calls than ledger and rejections", source, n)
		}
	}
	return nil
}

// rows reads all rows of a table.
func (v *verifier) rows(ctx context.Context, table []byte) error {
	rows := v.mine.Bucket(table)
	if rows == nil {
		return nil
	}
	cursor := rows.Cursor()
	for key, sealed := cursor.First(); key != nil; key, sealed = cursor.Next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := record.Open(key, sealed); err != nil {
			v.wrong(table, "%x: %v", key, err)
			continue
		}
		switch string(table) {
		case string(ledgerTable):
			v.call(key, sealed)
		case string(rejectionsTable):
			v.rejection(key, sealed)
		case string(keptTable):
			v.kept(key, sealed)
		case string(booksTable):
			v.book(key, sealed)
		}
	}
	return nil
}
