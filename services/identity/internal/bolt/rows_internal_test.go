package bolt

import (
	"bytes"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/callproto"
	"github.com/sojournhq/sojourn/internal/kit/record"
	storagev1 "github.com/sojournhq/sojourn/proto/sojourn/identity/storage/v1"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

func TestRowsAreWrittenAndReadAsProtobufDoes(t *testing.T) {
	key := []byte("key")
	rapid.Check(t, func(t *rapid.T) {
		same := func(got []byte, m proto.Message) []byte {
			want, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("wrote %x, protobuf %x, %v", got, want, err)
			}
			return record.Seal(key, want)
		}
		l := ledgerRow{
			rapid.Int64Range(-9, 9).Draw(t, "correction"), rapid.Uint32Range(0, 3).Draw(t, "fingerprint"), rapid.String().Draw(t, "source"),
			rapid.Bool().Draw(t, "refused"),
		}
		sealed := same(l.append(nil), &storagev1.LedgerRow{CorrectionMs: l.correctionMS, Fingerprint: l.fingerprint, Source: l.source, Refused: l.refused})
		if got, err := readLedger(key, sealed); got != l || err != nil {
			t.Fatalf("read %+v, %v, want %+v", got, err, l)
		}

		row := profileRow{lastMS: rapid.Int64Range(0, 300).Draw(t, "last"), seenMS: -1, fields: rapid.SliceOfN(rapid.Custom(genField), 0, 5).Draw(t, "fields"), read: true}
		if rapid.Bool().Draw(t, "seen") {
			row.seenMS = rapid.Int64Range(0, row.lastMS).Draw(t, "at")
		}
		user, account := &storagev1.UserRow{LastTimeMs: row.lastMS, QuietMs: row.lastMS - row.seenMS}, &storagev1.AccountRow{}
		for _, f := range row.fields {
			m := &storagev1.Field{Path: f.Path, TimeMs: f.At.TimeMS, MessageId: f.At.MessageID}
			if !f.TooLarge {
				m.Value = callproto.FromValue(f.Value)
			}
			user.Fields, account.Fields = append(user.Fields, m), append(account.Fields, m)
		}
		sameUser := func(got []byte) []byte {
			var m storagev1.UserRow // its times stand in front, which protobuf does not care for
			if err := proto.Unmarshal(got, &m); err != nil || !proto.Equal(&m, user) {
				t.Fatalf("wrote %x, which is %v, %v, want %v", got, &m, err, user)
			}
			return record.Seal(key, slices.Clone(got))
		}
		got, err := readUser(key, sameUser(row.append(nil, true, userFields)))
		if err != nil || got.lastMS != row.lastMS || got.seenMS != row.seenMS || !slices.Equal(got.fields, row.fields) {
			t.Fatalf("read %+v, %v, want %+v", got, err, row)
		}
		// Its times alone are changed.
		moved := profileRow{}
		if err := moved.open(key, sameUser(row.append(nil, true, userFields)), true); err != nil {
			t.Fatal(err)
		}
		moved.call(moved.lastMS+1, false)
		user.LastTimeMs++
		user.QuietMs++
		sameUser(moved.append(nil, true, userFields))
		moved.call(moved.lastMS, true)
		user.QuietMs = 0
		same(moved.append(nil, true, userFields), user) // as before there was QuietMs
		same(row.append(nil, false, accountFields), account)
	})
}

func genField(t *rapid.T) profile.Field {
	f := profile.Field{
		Path: rapid.String().Draw(t, "path"), At: call.Position{TimeMS: rapid.Int64Range(0, 300).Draw(t, "time"), MessageID: rapid.String().Draw(t, "id")},
	}
	switch f.Value.Kind = call.Kind(rapid.IntRange(0, int(call.JSON)).Draw(t, "kind")); f.Value.Kind {
	case 0:
		f.TooLarge = true
	case call.Null:
	case call.Bool:
		f.Value.Text = rapid.SampledFrom([]string{"true", "false"}).Draw(t, "text")
	default:
		f.Value.Text = rapid.StringN(0, -1, 300).Draw(t, "text")
	}
	return f
}
