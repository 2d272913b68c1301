package record

import "testing"

func TestRoomBeginsSmallAndGrowsUpToABound(t *testing.T) {
	var room Room
	value := make([]byte, 100-sumSize)
	if room.Seal(nil, value); room.made != minRoom {
		t.Errorf("made %d bytes of room for one value, want %d", room.made, minRoom)
	}
	for range 10_000 {
		room.Seal(nil, value)
	}
	if room.made != maxRoom {
		t.Errorf("made %d bytes of room at a time for many values, want %d", room.made, maxRoom)
	}
}

func TestEveryValueThatFitsHasRoomOfItsOwnHoweverLargeItIs(t *testing.T) {
	for size := range maxRoom / 4 {
		var room Room
		first := room.Seal([]byte("k"), make([]byte, size))
		room.Seal([]byte("k"), make([]byte, 64))
		if _, err := Open([]byte("k"), first); err != nil || len(first) != cap(first) {
			t.Fatalf("%d bytes: length %d, capacity %d, %v", size, len(first), cap(first), err)
		}
	}
}
