package bolt

import (
	"context"
	"fmt"

	bbolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/domain/attribution/boltlinks"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/internal/kit/soundness"
	storagev1 "github.com/sojournhq/sojourn/proto/sojourn/identity/storage/v1"
)

// Verify examines the file that the options name, without changing it, and tells found of everything in it that is not as Record left it:
// damaged values, links that do not hold both ways, and books that are not those of the ledger.
func Verify(ctx context.Context, o boltdb.Options, found func(soundness.Problem)) error {
	o.Kind, o.Format = Kind, Format
	return soundness.Examine(o, func(tx *bbolt.Tx) error {
		root := tx.Bucket(workspacesBucket)
		if root == nil {
			return nil // nothing was ever recorded
		}
		return root.ForEachBucket(func(name []byte) error {
			v := &verifier{mine: root.Bucket(name), path: string(workspacesBucket) + "/" + string(name), found: found}
			return v.all(ctx)
		})
	}, found)
}

// verifier proves the tables of one workspace.
type verifier struct {
	mine  *bbolt.Bucket
	path  string
	found func(soundness.Problem)
}

func (v *verifier) wrong(table []byte, format string, args ...any) {
	v.found(soundness.Problem{Table: v.path + "/" + string(table), Message: fmt.Sprintf(format, args...)})
}

func (v *verifier) all(ctx context.Context) error {
	for _, table := range allTables {
		if v.mine.Bucket(table) == nil {
			v.wrong(table, "there is no such table")
			return nil
		}
	}
	boltlinks.In(v.mine.Bucket(linksTable)).Check(func(message string) { v.wrong(linksTable, "%s", message) })
	accepted := map[string]int64{}
	for _, table := range allTables {
		if err := v.rows(ctx, table, accepted); err != nil {
			return err
		}
	}
	for source, n := range accepted {
		if n != 0 {
			v.wrong(booksTable, "source %q has %d more accepted calls than the ledger", source, n)
		}
	}
	return nil
}

// rows reads all rows of a table. Accepted gets, for every source, the accepted calls of its books less those of the ledger.
func (v *verifier) rows(ctx context.Context, table []byte, accepted map[string]int64) error {
	cursor := v.mine.Bucket(table).Cursor()
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
			var row storagev1.LedgerRow
			if err := record.Unmarshal(key, sealed, &row); err != nil {
				v.wrong(table, "%x: %v", key, err)
			}
			accepted[row.GetSource()]--
		case string(booksTable):
			var row storagev1.BookRow
			r := keys.Read(key)
			source := r.String()
			if err := record.Unmarshal(key, sealed, &row); err != nil || r.Err() != nil {
				v.wrong(table, "%x: no row of the books", key)
			}
			accepted[source] += row.GetAccepted()
		}
	}
	return nil
}
