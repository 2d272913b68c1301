package bolt

import (
	"cmp"
	"fmt"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/domain/positionkey"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// ref names a point of an anonymousId; a session is named by its first point.
type ref struct {
	anonymous uint32
	call.Position
}

// key is the key of a point in points, and of a session in sessions.
func (r ref) key() []byte { return r.appendKey(make([]byte, 0, 32)) }

func (r ref) appendKey(dst []byte) []byte {
	return positionkey.AppendTail(keys.AppendTime(keys.AppendUint32(dst, r.anonymous), r.TimeMS), r.Position)
}

// timeKey sorts before the keys of its anonymousId in its millisecond, and behind those of all earlier ones.
func (r ref) timeKey() []byte {
	return keys.AppendTime(keys.AppendUint32(make([]byte, 0, 16), r.anonymous), r.TimeMS)
}

// byStartKey is the key of a session in by_start.
func (r ref) byStartKey() []byte {
	key := keys.AppendUint32(keys.AppendTime(make([]byte, 0, 32), r.TimeMS), r.anonymous)
	return positionkey.AppendTail(key, r.Position)
}

func parseRef(key []byte) (ref, error) {
	r := keys.Read(key)
	anonymous, timeMS := r.Uint32(), r.Time()
	return finishRef(anonymous, timeMS, r)
}

func parseByStart(key []byte) (ref, error) {
	r := keys.Read(key)
	timeMS, anonymous := r.Time(), r.Uint32()
	return finishRef(anonymous, timeMS, r)
}

func finishRef(anonymous uint32, timeMS int64, r *keys.Reader) (ref, error) {
	p, err := positionkey.ParseTail(timeMS, r.Rest())
	if err = cmp.Or(r.Err(), err); err != nil {
		return ref{}, fmt.Errorf("%w: %w", record.ErrCorrupt, err)
	}
	return ref{anonymous, p}, nil
}

// owner is whom a session belongs to by what its own calls say.
type owner struct{ account, user session.Name }

func (o owner) prefix() []byte {
	return keys.AppendUint32(keys.AppendUint32(make([]byte, 0, 40), uint32(o.account)), uint32(o.user))
}

// byOwnerKey is the key of a session in by_owner.
func (o owner) byOwnerKey(r ref) []byte { return append(o.prefix(), r.byStartKey()...) }

// stored is a session row with what only storage knows of it.
type stored struct {
	session.Session

	// parts holds the first parts, the others stand in the parts table under the number more.
	parts []storedPart
	more  uint64
	// revision is what the session will be, or was, told as; told is the revision told last, 0 if none was.
	revision, told int64
	rules          uint32
}

// toldBefore is in place of the revision told last where that is not known any more: the session was gone, and is back.
const toldBefore = -1

type storedPart struct {
	session.Part
	session.Amount
}

func (s *stored) owner() owner { return owner{s.Account, s.User} }

// day is the first of the two days that the session may touch.
func (s *stored) day() day.Day { return day.Of(s.Start.TimeMS) }

// isTold says whether the session was told as it is.
func (s *stored) isTold() bool { return s.told == s.revision }
