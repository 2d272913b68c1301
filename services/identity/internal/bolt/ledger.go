package bolt

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/sojournhq/sojourn/internal/kit/record"
)

// ledgerRow is a LedgerRow.
type ledgerRow struct {
	correctionMS int64
	fingerprint  uint32
	source       string
	refused      bool
}

func (r *ledgerRow) append(dst []byte) []byte {
	dst = record.AppendInt(dst, 1, protowire.EncodeZigZag(r.correctionMS))
	if r.fingerprint != 0 {
		dst = protowire.AppendFixed32(protowire.AppendTag(dst, 2, protowire.Fixed32Type), r.fingerprint)
	}
	dst = record.AppendText(dst, 3, r.source)
	return record.AppendInt(dst, 4, protowire.EncodeBool(r.refused))
}

func readLedger(key, sealed []byte) (r ledgerRow, err error) {
	value, err := record.Open(key, sealed)
	if err != nil {
		return r, err
	}
	fields := record.ReadFields(value)
	for fields.Next() {
		switch fields.Number {
		case 1:
			r.correctionMS = protowire.DecodeZigZag(fields.Int)
		case 2:
			r.fingerprint = uint32(fields.Int)
		case 3:
			r.source = string(fields.Bytes)
		case 4:
			r.refused = fields.Int != 0
		}
	}
	return r, fields.Err()
}

// putLedger stores a row of the ledger.
func (r *recorder) putLedger(key []byte, row *ledgerRow) error {
	r.value = record.Seal(key, row.append(r.value[:0]))
	return putSealed(r.ledger, key, r.value)
}
