package bolt

import (
	"bytes"
	"reflect"
	"slices"
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// FuzzRows reads every kind of row from any key and value, also from a value whose checksum is right: whatever is read can be written, and is
// read the same again.
func FuzzRows(f *testing.F) {
	f.Add([]byte{}, []byte{})
	f.Add([]byte("\x00\x00\x00\x01\x01\x99\x00\x00\x00\x00message"), []byte("\x08\x01"))
	at := ref{1, call.Position{TimeMS: 1 << 40, MessageID: "m", OriginalMS: 1<<40 - 1}}
	sum := session.Sum{Sessions: 3, Carried: 1, DurationMS: 100, ActiveMS: 50}
	f.Add(at.key(), appendSession(nil, &stored{parts: make([]storedPart, 2), more: 1, revision: 2, told: toldBefore, rules: 3}))
	f.Add(at.byStartKey(), appendPoint(nil, session.Point{Module: 1, User: 2, Account: 3}))
	f.Add(dayID{owner{1, 2}, 20_000}.key(), appendDay(nil, &daySums{sum, []moduleSum{{2, sum}, {7, sum}}, 1}))
	f.Add(append(dayID{owner{1, 2}, 20_000}.key(), 0, 0, 0, 9), []byte(nameOfRules(session.Rules{TimeoutMS: 1, IdleCapMS: 2, MaxMS: 3})))
	f.Add(append([]byte{0}, make([]byte, 8)...), appendAmount(nil, session.Amount{DurationMS: 1, ActiveMS: 2, Points: 3}))
	f.Fuzz(func(t *testing.T, key, value []byte) {
		readRows(key, value)
		same(t, key, value)
		sameKeys(t, key)
		if r, err := parseRules(string(value)); err == nil {
			if again, err := parseRules(nameOfRules(r)); err != nil || again != r {
				t.Errorf("the rules %+v became %+v, %v", r, again, err)
			}
		}
	})
}

// readRows reads what is sealed as every kind of row.
func readRows(key, sealed []byte) {
	_, _, _ = decodeSession(key, sealed)
	_, _ = decodePoint(key, sealed)
	_, _ = decodeSum(key, sealed)
	_ = decodeDay(new(daySums), key, sealed)
	_, _ = decodeChange(key, sealed)
	_, _ = openPart(key, sealed)
}

// same seals the value, and reads, writes and reads again every kind of row that it is.
func same(t *testing.T, key, value []byte) {
	t.Helper()
	sealed := record.Seal(key, slices.Clip(value))
	readRows(key, sealed)
	check := func(was any, is any, err error) {
		if err != nil || !reflect.DeepEqual(was, is) {
			t.Errorf("%+v became %+v, %v", was, is, err)
		}
	}
	if _, s, err := decodeSession(key, sealed); err == nil {
		_, again, err := decodeSession(key, record.Seal(key, appendSession(nil, s)))
		check(s, again, err)
	}
	if p, err := decodePoint(key, sealed); err == nil {
		again, err := decodePoint(key, record.Seal(key, appendPoint(nil, p)))
		check(p, again, err)
	}
	if s, err := decodeSum(key, sealed); err == nil {
		again, err := decodeSum(key, record.Seal(key, appendSum(nil, s)))
		check(s, again, err)
	}
	if p, err := openPart(key, sealed); err == nil {
		again, err := openPart(key, record.Seal(key, appendAmount(nil, p.Amount)))
		check(p.Amount, again.Amount, err)
	}
	var d, again daySums
	if decodeDay(&d, key, sealed) == nil {
		err := decodeDay(&again, key, record.Seal(key, appendDay(nil, &d)))
		check(d, again, err)
	}
}

// sameKeys reads a key as every kind, and writes again what was read.
func sameKeys(t *testing.T, key []byte) {
	t.Helper()
	if r, err := parseRef(key); err == nil && !bytes.Equal(r.key(), key) {
		t.Errorf("the key %x became %x", key, r.key())
	}
	if r, err := parseByStart(key); err == nil && !bytes.Equal(r.byStartKey(), key) {
		t.Errorf("the key %x became %x", key, r.byStartKey())
	}
	if d, module, further, err := parseDayKey(key); err == nil {
		written := (dayID{day: d}).key()
		if further {
			written = append(written, byte(module>>24), byte(module>>16), byte(module>>8), byte(module))
		}
		if !bytes.Equal(written[2*4:], key[2*4:]) {
			t.Errorf("the key %x of a day became %x", key, written)
		}
	}
	_, _ = parseID(key)
}
