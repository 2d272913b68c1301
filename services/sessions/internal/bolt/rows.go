package bolt

import (
	"cmp"
	"fmt"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/domain/positionkey"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
	storagev1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/storage/v1"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// ref names a point of an anonymousId; a session is named by its first point.
type ref struct {
	anonymous uint32
	call.Position
}

// key is the key of a point in points, and of a session in sessions.
func (r ref) key() []byte {
	key := keys.AppendTime(keys.AppendUint32(make([]byte, 0, 32), r.anonymous), r.TimeMS)
	return positionkey.AppendTail(key, r.Position)
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

func encodeSession(key []byte, s *stored) ([]byte, error) {
	row := &storagev1.SessionRow{
		EndMs:         s.End.TimeMS,
		EndMessageId:  s.End.MessageID,
		EndOriginalMs: s.End.OriginalMS,
		User:          uint32(s.User),
		Account:       uint32(s.Account),
		Points:        s.Points,
		Module:        uint32(s.Module),
		MoreParts:     s.more,
		Revision:      s.revision,
		Told:          s.told,
		Rules:         s.rules,
	}
	for _, p := range s.parts {
		row.Parts = append(row.Parts, &storagev1.PartRow{
			Module: uint32(p.Module), Day: uint32(p.Day), DurationMs: p.DurationMS, ActiveMs: p.ActiveMS, Points: p.Points,
		})
	}
	return record.Marshal(key, row)
}

func decodeSession(key, sealed []byte) (ref, *stored, error) {
	at, err := parseRef(key)
	if err != nil {
		return ref{}, nil, err
	}
	var row storagev1.SessionRow
	if err := record.Unmarshal(key, sealed, &row); err != nil {
		return ref{}, nil, fmt.Errorf("session: %w", err)
	}
	s := &stored{
		Session: session.Session{
			Start:   at.Position,
			End:     call.Position{TimeMS: row.GetEndMs(), MessageID: row.GetEndMessageId(), OriginalMS: row.GetEndOriginalMs()},
			User:    session.Name(row.GetUser()),
			Account: session.Name(row.GetAccount()),
			Points:  row.GetPoints(),
			Module:  session.Name(row.GetModule()),
		},
		more:     row.GetMoreParts(),
		revision: row.GetRevision(),
		told:     row.GetTold(),
		rules:    row.GetRules(),
	}
	for _, p := range row.GetParts() {
		s.parts = append(s.parts, storedPart{
			session.Part{Module: session.Name(p.GetModule()), Day: day.Day(p.GetDay())}, decodeAmount(p),
		})
	}
	return at, s, nil
}

func decodeAmount(p *storagev1.PartRow) session.Amount {
	return session.Amount{DurationMS: p.GetDurationMs(), ActiveMS: p.GetActiveMs(), Points: p.GetPoints()}
}

func encodePoint(key []byte, p session.Point) ([]byte, error) {
	return record.Marshal(key, &storagev1.PointRow{Module: uint32(p.Module), User: uint32(p.User), Account: uint32(p.Account)})
}

func decodePoint(key, sealed []byte) (session.Point, error) {
	at, err := parseRef(key)
	if err != nil {
		return session.Point{}, err
	}
	var row storagev1.PointRow
	if err := record.Unmarshal(key, sealed, &row); err != nil {
		return session.Point{}, fmt.Errorf("point: %w", err)
	}
	return session.Point{
		Position: at.Position,
		Module:   session.Name(row.GetModule()),
		User:     session.Name(row.GetUser()),
		Account:  session.Name(row.GetAccount()),
	}, nil
}
