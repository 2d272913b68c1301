package report

import (
	"math/bits"

	"github.com/sojournhq/sojourn/internal/domain/day"
)

// blockDays is how many days stand in one number, as sojourn.activity.v1 has them.
const blockDays = 64

// days is a set of days, by block: bit n of block b is day 64·b + n.
type days map[uint32]uint64

func (d days) count() (n int64) {
	for _, set := range d {
		n += int64(bits.OnesCount64(set))
	}
	return n
}

// last returns the last day; there is one.
func (d days) last() (last day.Day) {
	for block, set := range d {
		if set != 0 {
			last = max(last, lastOf(block, set))
		}
	}
	return last
}

// lastOf returns the last day of a block, of which there is one.
func lastOf(block uint32, set uint64) day.Day {
	return day.Day(block*blockDays) + day.Day(bits.Len64(set)) - 1
}

// since returns the days of a block that are not before a day.
func since(block uint32, set uint64, from day.Day) uint64 {
	switch first := day.Day(block * blockDays); {
	case from <= first:
		return set
	case from-first >= blockDays:
		return 0
	default:
		return set >> (from - first) << (from - first)
	}
}
