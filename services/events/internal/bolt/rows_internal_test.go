package bolt

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/kit/record"
	storagev1 "github.com/sojournhq/sojourn/proto/sojourn/events/storage/v1"
)

func TestRowsAreWrittenAndReadAsProtobufDoes(t *testing.T) {
	key := []byte("key")
	same := func(t *rapid.T, got []byte, m proto.Message) []byte {
		want, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("wrote %x, protobuf %x, %v", got, want, err)
		}
		return record.Seal(key, want)
	}
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.OneOf(rapid.Just(uint32(0)), rapid.Uint32())
		e := eventRow{number.Draw(t, "feature"), number.Draw(t, "module"), number.Draw(t, "user"), number.Draw(t, "account")}
		sealed := same(t, e.append(nil), &storagev1.EventRow{Feature: e.feature, Module: e.module, User: e.user, Account: e.account})
		if got, err := readEvent(key, sealed); got != e || err != nil {
			t.Fatalf("read %+v, %v, want %+v", got, err, e)
		}
		ms := rapid.Int64Range(0, 1<<43)
		u := usageRow{rapid.Int64Range(0, 1<<40).Draw(t, "uses"), ms.Draw(t, "first"), ms.Draw(t, "last")}
		sealed = same(t, u.append(nil), &storagev1.UsageRow{Uses: u.uses, FirstMs: u.firstMS, LastMs: u.lastMS})
		if got, err := readUsage(key, sealed); got != u || err != nil {
			t.Fatalf("read %+v, %v, want %+v", got, err, u)
		}
	})
}
