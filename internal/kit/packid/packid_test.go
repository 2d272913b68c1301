package packid_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/kit/packid"
)

const uuid = "507f191e-8f00-4c52-9f7b-0123456789ab"

func TestEveryIDComesBackAsItWas(t *testing.T) {
	like := rapid.OneOf(
		rapid.String(),
		rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`),
		rapid.StringMatching(`[a-z-]{0,9}[0-9a-fA-F]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`),
	)
	rapid.Check(t, func(t *rapid.T) {
		id := like.Draw(t, "id")
		got, err := packid.Unpack(packid.Append(nil, id))
		if err != nil || got != id {
			t.Fatalf("Unpack = %q, %v, want %q", got, err, id)
		}
	})
}

func TestAUUIDTakesSeventeenBytes(t *testing.T) {
	if got := len(packid.Append(nil, uuid)); got != 17 {
		t.Errorf("packed into %d bytes, want 17", got)
	}
	if got := len(packid.Append(nil, "node-next-1-"+uuid)); got != 17+len("node-next-1-") {
		t.Errorf("packed with prefix into %d bytes", got)
	}
}

func FuzzUnpackSurvivesAnyBytes(f *testing.F) {
	f.Add([]byte{1, 2, 3})
	f.Add(packid.Append(nil, uuid))
	f.Fuzz(func(t *testing.T, packed []byte) {
		if id, err := packid.Unpack(packed); err == nil {
			if back, err := packid.Unpack(packid.Append(nil, id)); err != nil || back != id {
				t.Fatalf("%q came back as %q, %v", id, back, err)
			}
		}
	})
}
