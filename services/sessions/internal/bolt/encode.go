package bolt

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// The rows that every call reads and writes are put together and taken apart here, field by field as storage.proto numbers them.

const sessionParts = 8

// appendSession appends a SessionRow.
func appendSession(dst []byte, s *stored) []byte {
	dst = record.AppendInt(dst, 1, uint64(s.End.TimeMS))
	dst = record.AppendText(dst, 2, s.End.MessageID)
	dst = record.AppendInt(dst, 3, uint64(s.End.OriginalMS))
	dst = record.AppendInt(dst, 4, uint64(s.User))
	dst = record.AppendInt(dst, 5, uint64(s.Account))
	dst = record.AppendInt(dst, 6, uint64(s.Points))
	dst = record.AppendInt(dst, 7, uint64(s.Module))
	for _, p := range s.parts {
		var room [64]byte
		part := appendAmount(record.AppendInt(record.AppendInt(room[:0], 1, uint64(p.Module)), 2, uint64(p.Day)), p.Amount)
		dst = protowire.AppendBytes(protowire.AppendTag(dst, sessionParts, protowire.BytesType), part)
	}
	dst = record.AppendInt(dst, 9, s.more)
	dst = record.AppendInt(dst, 10, uint64(s.revision))
	dst = record.AppendInt(dst, 11, uint64(s.told))
	return record.AppendInt(dst, 12, uint64(s.rules))
}

func decodeSession(key, sealed []byte) (ref, *stored, error) {
	at, err := parseRef(key)
	if err != nil {
		return ref{}, nil, err
	}
	s, err := readSession(at.Position, key, sealed)
	return at, s, err
}

// readSession reads the row of a session whose first point is known.
func readSession(start call.Position, key, sealed []byte) (*stored, error) {
	value, err := record.Open(key, sealed)
	if err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	s := &stored{Session: session.Session{Start: start}, parts: make([]storedPart, 0, usualParts)}
	fields := record.ReadFields(value)
	for fields.Next() {
		if fields.Number == sessionParts {
			p, err := readPart(fields.Bytes)
			if err != nil {
				return nil, fmt.Errorf("session: %w", err)
			}
			s.parts = append(s.parts, p)
			continue
		}
		s.set(&fields)
	}
	if err := fields.Err(); err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	return s, nil
}

// usualParts is room for the parts that most sessions have.
const usualParts = 10

// set sets one field of a session that is not its parts.
func (s *stored) set(f *record.Fields) {
	switch f.Number {
	case 1:
		s.End.TimeMS = int64(f.Int)
	case 2:
		s.End.MessageID = string(f.Bytes)
	case 3:
		s.End.OriginalMS = int64(f.Int)
	case 4:
		s.User = session.Name(f.Int)
	case 5:
		s.Account = session.Name(f.Int)
	case 6:
		s.Points = int64(f.Int)
	case 7:
		s.Module = session.Name(f.Int)
	case 9:
		s.more = f.Int
	case 10:
		s.revision = int64(f.Int)
	case 11:
		s.told = int64(f.Int)
	case 12:
		s.rules = uint32(f.Int)
	}
}

// appendAmount appends what a PartRow says beside module and day.
func appendAmount(dst []byte, a session.Amount) []byte {
	dst = record.AppendInt(dst, 3, uint64(a.DurationMS))
	dst = record.AppendInt(dst, 4, uint64(a.ActiveMS))
	return record.AppendInt(dst, 5, uint64(a.Points))
}

// readPart reads a PartRow.
func readPart(value []byte) (p storedPart, err error) {
	fields := record.ReadFields(value)
	for fields.Next() {
		switch fields.Number {
		case 1:
			p.Module = session.Name(fields.Int)
		case 2:
			p.Day = day.Day(fields.Int)
		case 3:
			p.DurationMS = int64(fields.Int)
		case 4:
			p.ActiveMS = int64(fields.Int)
		case 5:
			p.Points = int64(fields.Int)
		}
	}
	return p, fields.Err()
}

// appendPoint appends a PointRow.
func appendPoint(dst []byte, p session.Point) []byte {
	dst = record.AppendInt(dst, 1, uint64(p.Module))
	dst = record.AppendInt(dst, 2, uint64(p.User))
	return record.AppendInt(dst, 3, uint64(p.Account))
}

func decodePoint(key, sealed []byte) (session.Point, error) {
	at, err := parseRef(key)
	if err != nil {
		return session.Point{}, err
	}
	value, err := record.Open(key, sealed)
	if err != nil {
		return session.Point{}, fmt.Errorf("point: %w", err)
	}
	p := session.Point{Position: at.Position}
	fields := record.ReadFields(value)
	for fields.Next() {
		switch fields.Number {
		case 1:
			p.Module = session.Name(fields.Int)
		case 2:
			p.User = session.Name(fields.Int)
		case 3:
			p.Account = session.Name(fields.Int)
		}
	}
	return p, fields.Err()
}
