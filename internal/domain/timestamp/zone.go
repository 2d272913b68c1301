package timestamp

import "time"

// In returns the moment at which clocks in a zone show what clocks in UTC show at ms; both are in milliseconds since 1970.
//
// What the clocks of the zone show twice, because they were set back, is the first of the two moments. What they never show, because they
// were set forward, is as long after the change as it would be if they had not been. So it is in both cases the offset before the change
// that counts, as in java.time and in JavaScript's Temporal.
func In(ms int64, zone *time.Location) int64 {
	const day = 24 * int64(time.Hour/time.Millisecond)
	before, after := offset(ms-day, zone), offset(ms+day, zone)
	if offset(ms-before, zone) != before && offset(ms-after, zone) == after {
		return ms - after
	}
	return ms - before
}

// offset returns how far a zone is ahead of UTC at a moment, in milliseconds.
func offset(ms int64, zone *time.Location) int64 {
	_, seconds := time.UnixMilli(ms).In(zone).Zone()
	return int64(seconds) * 1000
}
