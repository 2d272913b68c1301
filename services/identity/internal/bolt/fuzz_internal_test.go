package bolt

import (
	"bytes"
	"slices"
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

// FuzzKept reads rejected calls from any key and value, also from a value whose checksum is right.
func FuzzKept(f *testing.F) {
	f.Add([]byte{}, []byte{})
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x01"), []byte("\x08\x01"))
	f.Fuzz(func(_ *testing.T, key, value []byte) {
		for _, sealed := range [][]byte{value, record.Seal(key, slices.Clip(value))} {
			_, _, _ = decodeKept(key, sealed)
		}
	})
}

// FuzzRows reads rows of the ledger, of users and of accounts from any key and value, also from a value whose checksum is right: whatever is
// read can be written, and is read the same again.
func FuzzRows(f *testing.F) {
	f.Add([]byte{}, []byte{})
	f.Add([]byte("key"), (&ledgerRow{-1, 2, "source", true}).append(nil))
	for kind := range call.JSON + 1 {
		field := profile.Field{Path: "p", TooLarge: kind == 0, Value: call.Value{Kind: kind}, At: call.Position{TimeMS: 1, MessageID: "m"}}
		f.Add(accountKey("acme"), appendFields(nil, accountFields, []profile.Field{field, field}))
		f.Add(accountKey("acme"), appendFields(record.AppendInt(nil, userLast, 9), userFields, []profile.Field{field}))
		quiet := record.AppendInt(record.AppendInt(nil, userLast, 9), userQuiet, 10)
		f.Add(accountKey("acme"), appendFields(quiet, userFields, []profile.Field{field}))
	}
	f.Fuzz(func(t *testing.T, key, value []byte) {
		_, _ = readLedger(key, value)
		_, _ = readUser(key, value)
		_, _ = readAccount(key, value)
		sealed := record.Seal(key, slices.Clip(value))
		if r, err := readLedger(key, sealed); err == nil {
			if again, err := readLedger(key, record.Seal(key, r.append(nil))); err != nil || again != r {
				t.Errorf("the row of the ledger %+v became %+v, %v", r, again, err)
			}
		}
		if r, err := readUser(key, sealed); err == nil {
			again, err := readUser(key, record.Seal(key, r.append(nil, true, userFields)))
			if err != nil || again.lastMS != r.lastMS || again.seenMS != r.seenMS || !slices.Equal(again.fields, r.fields) {
				t.Errorf("the user %+v became %+v, %v", r, again, err)
			}
		}
		if a, err := readAccount(key, sealed); err == nil {
			again, err := readAccount(key, record.Seal(key, appendFields(nil, accountFields, a.Fields)))
			if err != nil || !slices.Equal(again.Fields, a.Fields) || !bytes.HasPrefix(key, accountKey(a.AccountID)) {
				t.Errorf("the account %+v became %+v, %v", a, again, err)
			}
		}
	})
}
