package record_test

import (
	"bytes"
	"errors"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/sojournhq/sojourn/internal/kit/record"
)

func TestFieldsAreWhatProtobufWrites(t *testing.T) {
	m := &descriptorpb.FieldDescriptorProto{Name: proto.String("ada"), Number: proto.Int32(300), TypeName: proto.String("t")}
	want, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	got := record.AppendInt(record.AppendText(nil, 1, "ada"), 3, 300)
	if got = record.AppendInt(record.AppendText(got, 6, []byte("t")), 7, 0); !bytes.Equal(got, want) {
		t.Errorf("wrote %x, protobuf %x", got, want)
	}
	fields := record.ReadFields(protowire.AppendFixed32(protowire.AppendTag(want, 9, protowire.Fixed32Type), 7))
	for _, want := range []struct {
		number int
		value  uint64
		text   string
	}{{1, 0, "ada"}, {3, 300, ""}, {6, 0, "t"}, {9, 7, ""}} {
		if !fields.Next() || fields.Number != want.number || fields.Int != want.value || string(fields.Bytes) != want.text {
			t.Errorf("got %+v, want %+v", fields, want)
		}
	}
	if fields.Next() || fields.Err() != nil || len(fields.Rest()) > 0 {
		t.Errorf("more fields, or %v", fields.Err())
	}
}

func TestWhatIsNoMessageIsCorrupt(t *testing.T) {
	for _, value := range [][]byte{{0}, {8}, {10, 5, 1}, {13, 1}, {11, 12}, {9, 1}} {
		fields := record.ReadFields(value)
		for fields.Next() {
			t.Errorf("%x has a field", value)
		}
		if !errors.Is(fields.Err(), record.ErrCorrupt) {
			t.Errorf("%x: %v", value, fields.Err())
		}
	}
}
