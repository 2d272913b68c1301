package bolt

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

const dayModules = 5

// appendDay appends a DayRow.
func appendDay(dst []byte, d *daySums) []byte {
	dst = appendSum(dst, d.total)
	if len(d.modules) > 0 {
		var room [512]byte
		figures, before := room[:0], session.Name(0)
		for _, m := range d.modules {
			for _, n := range [...]uint64{
				uint64(m.module - before), uint64(m.Sessions), uint64(m.Carried), uint64(m.DurationMS), uint64(m.DurationMS - m.ActiveMS),
			} {
				figures = protowire.AppendVarint(figures, n)
			}
			before = m.module
		}
		dst = record.AppendText(dst, dayModules, figures)
	}
	return record.AppendInt(dst, 6, d.more)
}

// decodeDay reads a DayRow into d, whose room it uses.
func decodeDay(d *daySums, key, sealed []byte) error {
	*d = daySums{modules: d.modules[:0]}
	value, err := record.Open(key, sealed)
	if err != nil {
		return fmt.Errorf("daily sums: %w", err)
	}
	fields := record.ReadFields(value)
	for fields.Next() {
		switch fields.Number {
		case dayModules:
			if err := d.readModules(fields.Bytes); err != nil {
				return err
			}
		case 6:
			d.more = fields.Int
		default:
			setSum(&d.total, &fields)
		}
	}
	return fields.Err()
}

func (d *daySums) readModules(figures []byte) error {
	before := session.Name(0)
	for len(figures) > 0 {
		var n [5]uint64
		for i := range n {
			v, size := protowire.ConsumeVarint(figures)
			if size < 0 {
				return fmt.Errorf("%w: daily sums of modules", record.ErrCorrupt)
			}
			n[i], figures = v, figures[size:]
		}
		before += session.Name(n[0])
		d.modules = append(d.modules, moduleSum{before, session.Sum{
			Sessions: int64(n[1]), Carried: int64(n[2]), DurationMS: int64(n[3]), ActiveMS: int64(n[3] - n[4]),
		}})
	}
	return nil
}

// appendSum appends a SumRow.
func appendSum(dst []byte, s session.Sum) []byte {
	dst = record.AppendInt(dst, 1, uint64(s.Sessions))
	dst = record.AppendInt(dst, 2, uint64(s.Carried))
	dst = record.AppendInt(dst, 3, uint64(s.DurationMS))
	return record.AppendInt(dst, 4, uint64(s.ActiveMS))
}

func decodeSum(key, sealed []byte) (s session.Sum, err error) {
	value, err := record.Open(key, sealed)
	if err != nil {
		return s, fmt.Errorf("daily sum: %w", err)
	}
	fields := record.ReadFields(value)
	for fields.Next() {
		setSum(&s, &fields)
	}
	return s, fields.Err()
}

// setSum sets one field of a sum.
func setSum(s *session.Sum, f *record.Fields) {
	switch f.Number {
	case 1:
		s.Sessions = int64(f.Int)
	case 2:
		s.Carried = int64(f.Int)
	case 3:
		s.DurationMS = int64(f.Int)
	case 4:
		s.ActiveMS = int64(f.Int)
	}
}
