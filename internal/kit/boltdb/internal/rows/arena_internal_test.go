package rows

import (
	"bytes"
	"testing"
)

func TestAnArenaKeepsTextsOfAnyLengthAsTheyWere(t *testing.T) {
	var a arena
	for round, room := range []int{1 << 30, 0, 0} { // also when it was emptied
		var kept []text
		var want [][]byte
		for i := range 60_000 {
			size := i % 97
			if i%10_000 == 0 && round != 1 { // then short ones lie where long ones did
				size = maxChunk/2*(i/10_000+1) - 2 // less than a chunk holds, and more
			}
			want = append(want, bytes.Repeat([]byte{byte(i + round)}, size))
			kept = append(kept, a.keep(want[i]))
		}
		for i, at := range kept {
			if got := a.get(at); got == nil || !bytes.Equal(got, want[i]) || cap(got) != len(got) {
				t.Fatalf("round %d: text %d of %d bytes is not what it was, or has room behind it that is another's", round, i, len(want[i]))
			}
		}
		if got := a.get(a.keep(nil)); got != nil {
			t.Errorf("nil came back as %d bytes", len(got))
		}
		a.reset(room)
		if n := len(a.all()); (n > 0) != (room > 0) {
			t.Errorf("round %d: %d chunks are kept", round, n)
		}
	}
}
