package bolt

import (
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
	storagev1 "github.com/sojournhq/sojourn/proto/sojourn/identity/storage/v1"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
)

func (v *verifier) call(key, sealed []byte) {
	var row storagev1.LedgerRow
	if err := record.Unmarshal(key, sealed, &row); err != nil {
		v.wrong(ledgerTable, "%x: %v", key, err)
	}
	if row.GetRefused() {
		v.rejected[row.GetSource()]--
	} else {
		v.accepted[row.GetSource()]--
	}
}

func (v *verifier) rejection(key, sealed []byte) {
	var row storagev1.RejectionRow
	hash := len(directory.Rejection{}.Fingerprint)
	if err := record.Unmarshal(key, sealed, &row); err != nil || len(key) < hash {
		v.wrong(rejectionsTable, "%x: no row of a rejection", key)
		return
	}
	if !row.GetInLedger() {
		v.rejected[string(key[hash:])]--
	}
}

// kept proves that a rejection that is kept is one that was counted, and knows of being kept: or it would be kept twice.
func (v *verifier) kept(key, sealed []byte) {
	number, row, err := decodeKept(key, sealed)
	if err != nil {
		v.wrong(keptTable, "%x: %v", key, err)
		return
	}
	of := append(row.GetFingerprint(), row.GetSource()...)
	var counted storagev1.RejectionRow
	if sealed := v.mine.Bucket(rejectionsTable).Get(of); sealed == nil || record.Unmarshal(of, sealed, &counted) != nil {
		v.wrong(keptTable, "%x: there is no such rejection", key)
	} else if counted.GetKept() != number {
		v.wrong(keptTable, "%x: its rejection is kept as number %d", key, counted.GetKept())
	}
	if last := v.mine.Bucket(keptTable).Sequence(); number > last {
		v.wrong(keptTable, "%x: the last number is %d", key, last)
	}
}

func (v *verifier) book(key, sealed []byte) {
	var row storagev1.BookRow
	r := keys.Read(key)
	source := r.String()
	if err := record.Unmarshal(key, sealed, &row); err != nil || r.Err() != nil {
		v.wrong(booksTable, "%x: no row of the books", key)
	}
	if min(row.GetAccepted(), row.GetDuplicate(), row.GetFiltered()) < 0 {
		v.wrong(booksTable, "%x: a count is below zero", key)
	}
	v.accepted[source] += row.GetAccepted()
	for _, n := range row.GetRejected() {
		v.rejected[source] += n
	}
}
