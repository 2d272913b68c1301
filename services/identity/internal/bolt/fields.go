package bolt

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

// appendFields appends fields to a row, as its field of a number. A field that was too large is one without a value.
func appendFields(dst []byte, number protowire.Number, fields []profile.Field) []byte {
	for i := range fields {
		f := &fields[i]
		start := len(dst)
		dst = record.AppendText(dst, 1, f.Path)
		if !f.TooLarge {
			dst = appendValue(dst, f.Value)
		}
		dst = record.AppendInt(dst, 3, uint64(f.At.TimeMS))
		dst = record.AppendText(dst, 4, f.At.MessageID)
		dst = enclose(dst, start, number)
	}
	return dst
}

// enclose makes what stands in dst from start on a field of a number.
func enclose(dst []byte, start int, number protowire.Number) []byte {
	var room [2 * 10]byte
	head := protowire.AppendVarint(protowire.AppendTag(room[:0], number, protowire.BytesType), uint64(len(dst)-start))
	dst = append(dst, head...)
	copy(dst[start+len(head):], dst[start:])
	copy(dst[start:], head)
	return dst
}

// The fields of a Value, of which exactly one is set.
const (
	valueNull    = 1
	valueString  = 2
	valueNumber  = 3
	valueBoolean = 4
	valueJSON    = 5
)

func appendValue(dst []byte, v call.Value) []byte {
	start := len(dst)
	text := func(number protowire.Number) []byte {
		return protowire.AppendString(protowire.AppendTag(dst, number, protowire.BytesType), v.Text)
	}
	flag := func(number protowire.Number, set bool) []byte {
		return protowire.AppendVarint(protowire.AppendTag(dst, number, protowire.VarintType), protowire.EncodeBool(set))
	}
	switch v.Kind {
	case call.String:
		dst = text(valueString)
	case call.Number:
		dst = text(valueNumber)
	case call.Bool:
		dst = flag(valueBoolean, v.Text == "true")
	case call.JSON:
		dst = text(valueJSON)
	case call.Null:
		dst = flag(valueNull, true)
	}
	return enclose(dst, start, 2)
}

// readFields reads the fields that stand in a row as its field of a number.
func readFields(value []byte, number protowire.Number) (all []profile.Field, err error) {
	row := record.ReadFields(value)
	for row.Next() {
		if row.Number != int(number) {
			continue
		}
		f, err := readField(row.Bytes)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, row.Err()
}

func readField(value []byte) (profile.Field, error) {
	f := profile.Field{TooLarge: true}
	fields := record.ReadFields(value)
	for fields.Next() {
		switch fields.Number {
		case 1:
			f.Path = string(fields.Bytes)
		case 2:
			var err error
			if f.Value, err = readValue(fields.Bytes); err != nil {
				return f, err
			}
			f.TooLarge = false
		case 3:
			f.At.TimeMS = int64(fields.Int)
		case 4:
			f.At.MessageID = string(fields.Bytes)
		}
	}
	return f, fields.Err()
}

// readValue reads a Value. One that holds nothing counts as null.
func readValue(value []byte) (call.Value, error) {
	v := call.Value{Kind: call.Null}
	fields := record.ReadFields(value)
	for fields.Next() {
		switch fields.Number {
		case valueNull:
			v = call.Value{Kind: call.Null}
		case valueString:
			v = call.Value{Kind: call.String, Text: string(fields.Bytes)}
		case valueNumber:
			v = call.Value{Kind: call.Number, Text: string(fields.Bytes)}
		case valueBoolean:
			if v = (call.Value{Kind: call.Bool, Text: "false"}); fields.Int != 0 {
				v.Text = "true"
			}
		case valueJSON:
			v = call.Value{Kind: call.JSON, Text: string(fields.Bytes)}
		}
	}
	return v, fields.Err()
}
