package record

// roomSize is how much room is made at a time.
const roomSize = 16 << 10

// Room holds sealed values for as long as any of them is used, many in one allocation. The zero value is ready to use.
type Room struct{ free []byte }

// Seal returns a copy of value, sealed under key. Value may be used again.
func (r *Room) Seal(key, value []byte) []byte {
	size := len(value) + sumSize
	if size > roomSize/8 {
		return Seal(key, append(make([]byte, 0, size), value...))
	}
	if cap(r.free) < size {
		r.free = make([]byte, 0, roomSize)
	}
	sealed := Seal(key, append(r.free[:0:size], value...))
	r.free = r.free[size:size:cap(r.free)]
	return sealed
}
