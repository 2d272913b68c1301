package bolt

import (
	"fmt"

	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/kit/record"
)

// eventRow is an EventRow: the numbers of the names that a call named, 0 where it named none.
type eventRow struct{ feature, module, user, account uint32 }

func (r eventRow) append(dst []byte) []byte {
	dst = record.AppendInt(dst, 1, uint64(r.feature))
	dst = record.AppendInt(dst, 2, uint64(r.module))
	dst = record.AppendInt(dst, 3, uint64(r.user))
	return record.AppendInt(dst, 4, uint64(r.account))
}

func readEvent(key, sealed []byte) (r eventRow, err error) {
	value, err := record.Open(key, sealed)
	if err != nil {
		return r, fmt.Errorf("event: %w", err)
	}
	fields := record.ReadFields(value)
	for fields.Next() {
		switch fields.Number {
		case 1:
			r.feature = uint32(fields.Int)
		case 2:
			r.module = uint32(fields.Int)
		case 3:
			r.user = uint32(fields.Int)
		case 4:
			r.account = uint32(fields.Int)
		}
	}
	return r, fields.Err()
}

// sumKey is the key of the daily sum that counts the event.
func (r eventRow) sumKey(d day.Day) usageKey {
	return usageKey{r.account, r.user, d, r.module, r.feature}
}

// usageRow is a UsageRow: how many uses, and the times of the first and the last.
type usageRow struct{ uses, firstMS, lastMS int64 }

func (r usageRow) append(dst []byte) []byte {
	dst = record.AppendInt(dst, 1, uint64(r.uses))
	dst = record.AppendInt(dst, 2, uint64(r.firstMS))
	return record.AppendInt(dst, 3, uint64(r.lastMS))
}

func readUsage(key, sealed []byte) (r usageRow, err error) {
	value, err := record.Open(key, sealed)
	if err != nil {
		return r, fmt.Errorf("usage: %w", err)
	}
	fields := record.ReadFields(value)
	for fields.Next() {
		switch fields.Number {
		case 1:
			r.uses = int64(fields.Int)
		case 2:
			r.firstMS = int64(fields.Int)
		case 3:
			r.lastMS = int64(fields.Int)
		}
	}
	return r, fields.Err()
}
