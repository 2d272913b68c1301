// Package positionkey writes a call's position into a database key, compactly: nearly every call's event time is its own timestamp, and
// nearly every messageId ends in a UUID.
package positionkey

import (
	"errors"
	"fmt"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/packid"
)

// ErrMalformed says that bytes are no position.
var ErrMalformed = errors.New("malformed position")

// After the event time stands whether the own timestamp differs from it.
const (
	asSent    = 0
	corrected = 1 // the own timestamp follows
)

// AppendTail appends all of p but its event time, which stands earlier in the key. It ends the key. Keys of one event time do not sort
// like their positions.
func AppendTail(dst []byte, p call.Position) []byte {
	if p.OriginalMS == p.TimeMS {
		return packid.Append(append(dst, asSent), p.MessageID)
	}
	return packid.Append(keys.AppendTime(append(dst, corrected), p.OriginalMS), p.MessageID)
}

// ParseTail reads what AppendTail appended for a position with the event time timeMS.
func ParseTail(timeMS int64, tail []byte) (call.Position, error) {
	p := call.Position{TimeMS: timeMS, OriginalMS: timeMS}
	if len(tail) == 0 || tail[0] > corrected {
		return p, ErrMalformed
	}
	r := keys.Read(tail[1:])
	if tail[0] == corrected {
		p.OriginalMS = r.Time()
	}
	if r.Err() != nil {
		return p, fmt.Errorf("%w: %w", ErrMalformed, r.Err())
	}
	id, err := packid.Unpack(r.Rest())
	if err != nil {
		return p, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	p.MessageID = id
	return p, nil
}
