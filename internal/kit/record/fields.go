package record

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Fields reads the fields of a protobuf message one by one, for rows that are read too often for a message to be made of each.
//
//	for fields := record.ReadFields(value); fields.Next(); {
//		switch fields.Number { … }
//	}
type Fields struct {
	// Number is that of the field, and Int or Bytes its value, by its type.
	Number int
	Int    uint64
	Bytes  []byte

	rest []byte
	bad  bool
}

// ReadFields begins to read a message.
func ReadFields(value []byte) Fields { return Fields{rest: value} }

// Next reads one more field. It returns false at the end, and where there is no field: Err tells which.
func (f *Fields) Next() bool {
	if len(f.rest) == 0 || f.bad {
		return false
	}
	number, kind, n := protowire.ConsumeTag(f.rest)
	if n < 0 {
		f.bad = true
		return false
	}
	f.rest, f.Number, f.Int, f.Bytes = f.rest[n:], int(number), 0, nil
	switch kind {
	case protowire.VarintType:
		f.Int, n = protowire.ConsumeVarint(f.rest)
	case protowire.BytesType:
		f.Bytes, n = protowire.ConsumeBytes(f.rest)
	case protowire.Fixed32Type:
		var v uint32
		v, n = protowire.ConsumeFixed32(f.rest)
		f.Int = uint64(v)
	case protowire.Fixed64Type:
		f.Int, n = protowire.ConsumeFixed64(f.rest)
	default:
		n = -1
	}
	if n < 0 {
		f.bad = true
		return false
	}
	f.rest = f.rest[n:]
	return true
}

// Err returns ErrCorrupt if what was read is no message.
func (f *Fields) Err() error {
	if f.bad {
		return fmt.Errorf("%w: no message", ErrCorrupt)
	}
	return nil
}

// Rest returns what was not read yet.
func (f *Fields) Rest() []byte { return f.rest }

// AppendInt appends a field that holds a number, as protobuf does: zero is left out.
func AppendInt(dst []byte, field protowire.Number, v uint64) []byte {
	if v == 0 {
		return dst
	}
	return protowire.AppendVarint(protowire.AppendTag(dst, field, protowire.VarintType), v)
}

// AppendText appends a field that holds text or bytes, as protobuf does: an empty one is left out.
func AppendText[T string | []byte](dst []byte, field protowire.Number, v T) []byte {
	if len(v) == 0 {
		return dst
	}
	dst = protowire.AppendVarint(protowire.AppendTag(dst, field, protowire.BytesType), uint64(len(v)))
	return append(dst, v...)
}
