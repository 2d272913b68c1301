package positionkey_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/positionkey"
)

func TestAPositionComesBackAsItWasAndTwoNeverShareAKey(t *testing.T) {
	position := rapid.Custom(func(t *rapid.T) call.Position {
		return call.Position{
			TimeMS:     7,
			OriginalMS: rapid.Int64Range(5, 8).Draw(t, "own time"),
			MessageID:  rapid.SampledFrom([]string{"", "m", "\x00m", "507f191e-8f00-4c52-9f7b-0123456789ab", "x-507f191e-8f00-4c52-9f7b-0123456789ab"}).Draw(t, "id"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		p, q := position.Draw(t, "p"), position.Draw(t, "q")
		got, err := positionkey.ParseTail(p.TimeMS, positionkey.AppendTail(nil, p))
		if err != nil || got != p {
			t.Fatalf("%+v came back as %+v, %v", p, got, err)
		}
		if same := bytes.Equal(positionkey.AppendTail(nil, p), positionkey.AppendTail(nil, q)); same != (p == q) {
			t.Fatalf("%+v and %+v: same key %v", p, q, same)
		}
	})
}

func FuzzParseTailSurvivesAnyBytes(f *testing.F) {
	f.Add([]byte{0, 0, 'm'})
	f.Add([]byte{1, 0, 0, 0, 0, 0, 1, 0, 'm'})
	f.Fuzz(func(t *testing.T, tail []byte) {
		if p, err := positionkey.ParseTail(7, tail); err == nil && p.TimeMS != 7 {
			t.Fatal("the event time changed")
		}
	})
}
