package record

const (
	// minRoom is how much room is made at first: values of one call pin little while they live.
	minRoom = 512
	// maxRoom is how much is made at a time at most; each time it is twice as much as before.
	maxRoom = 16 << 10
)

// Room holds sealed values for as long as any of them is used, many in one allocation. The zero value is ready to use.
type Room struct {
	free []byte
	made int // how much was made last
}

// Seal returns a copy of value, sealed under key. Value may be used again.
func (r *Room) Seal(key, value []byte) []byte {
	size := len(value) + sumSize
	if size > maxRoom/8 {
		return Seal(key, append(make([]byte, 0, size), value...))
	}
	if cap(r.free) < size {
		r.made = min(max(2*r.made, minRoom, size), maxRoom)
		r.free = make([]byte, 0, r.made)
	}
	sealed := Seal(key, append(r.free[:0:size], value...))
	r.free = r.free[size:size:cap(r.free)]
	return sealed
}
