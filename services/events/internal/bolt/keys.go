package bolt

import (
	"fmt"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/domain/positionkey"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
)

func appendEventKey(dst []byte, p call.Position) []byte {
	return positionkey.AppendTail(keys.AppendTime(dst, p.TimeMS), p)
}

func parseEventKey(key []byte) (call.Position, error) {
	r := keys.Read(key)
	timeMS := r.Time()
	p, err := positionkey.ParseTail(timeMS, r.Rest())
	if err != nil || r.Err() != nil {
		return p, fmt.Errorf("event: %w: key %x", record.ErrCorrupt, key)
	}
	return p, nil
}

// usageKey is what one row of usage sums: what calls that named this account, or none, say of one user's use of one feature on one day.
type usageKey struct {
	account, user   uint32
	day             day.Day
	module, feature uint32
}

const usageKeySize = 5 * 4

func (k usageKey) append(dst []byte) []byte {
	for _, part := range [...]uint32{k.account, k.user, uint32(k.day), k.module, k.feature} {
		dst = keys.AppendUint32(dst, part)
	}
	return dst
}

func (k usageKey) bytes() []byte { return k.append(make([]byte, 0, usageKeySize)) }

func parseUsageKey(key []byte) (usageKey, error) {
	r := keys.Read(key)
	k := usageKey{account: r.Uint32(), user: r.Uint32(), day: day.Day(r.Uint32()), module: r.Uint32(), feature: r.Uint32()}
	if r.Err() != nil || len(r.Rest()) > 0 || k.day > day.Max {
		return k, fmt.Errorf("usage: %w: key %x", record.ErrCorrupt, key)
	}
	return k, nil
}
