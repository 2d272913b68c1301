package keys_test

import (
	"bytes"
	"cmp"
	"testing"

	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/kit/keys"
)

type pair struct{ a, b string }

func (p pair) key() []byte { return keys.AppendString(keys.AppendString(nil, p.a), p.b) }

func TestKeysSortLikeTheirValues(t *testing.T) {
	text := rapid.StringOf(rapid.RuneFrom([]rune{0, 1, 'a', 'b', 0xff, '\U0010ffff'}))
	rapid.Check(t, func(t *rapid.T) {
		x, y := pair{text.Draw(t, "xa"), text.Draw(t, "xb")}, pair{text.Draw(t, "ya"), text.Draw(t, "yb")}
		want := cmp.Or(cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b))
		if got := bytes.Compare(x.key(), y.key()); got != want {
			t.Fatalf("compare(%q, %q) = %d, want %d", x, y, got, want)
		}
	})
}

func TestAKeyIsReadBackAsItWasBuilt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, n, ms := rapid.String().Draw(t, "s"), rapid.Uint32().Draw(t, "n"), rapid.Int64Range(0, 1<<48-1).Draw(t, "ms")
		key := append(keys.AppendTime(keys.AppendUint32(keys.AppendString(nil, s), n), ms), "rest"...)
		r := keys.Read(key)
		if gs, gn, gms := r.String(), r.Uint32(), r.Time(); gs != s || gn != n || gms != ms || string(r.Rest()) != "rest" || r.Err() != nil {
			t.Fatalf("read %q %d %d %q %v, want %q %d %d", gs, gn, gms, r.Rest(), r.Err(), s, n, ms)
		}
	})
}

func FuzzReaderSurvivesAnyBytes(f *testing.F) {
	f.Add([]byte("a\x00\x01"), uint8(1))
	f.Add([]byte("a\x00\xff\x00\x01123456"), uint8(2))
	f.Fuzz(func(t *testing.T, key []byte, n uint8) {
		r := keys.Read(key)
		for range n % 8 {
			_ = r.String()
			r.Time()
			r.Uint32()
		}
		if r.Err() == nil && len(r.Rest()) > len(key) {
			t.Fatal("read past the end")
		}
	})
}
