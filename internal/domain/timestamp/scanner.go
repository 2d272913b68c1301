package timestamp

import (
	"strings"
	"time"
)

// scanner reads a time from the front of rest. After the first failure it is bad, and what it returns means nothing.
type scanner struct {
	rest string
	bad  bool
}

func (s *scanner) time() (t time.Time, zoned bool) {
	year := s.digits(4)
	s.expect('-')
	month := s.digits(2)
	s.expect('-')
	day := s.digits(2)
	var ofDay, offset time.Duration
	if s.rest != "" {
		s.separator()
		ofDay = s.clock()
		offset, zoned = s.zone()
	}
	t, exists := date(year, month, day, ofDay-offset)
	s.bad = s.bad || !exists
	return t, zoned
}

func (s *scanner) separator() {
	if !s.skip('T') && !s.skip('t') {
		s.expect(' ')
	}
}

// clock reads a time of day. A leap second is the first second of the next minute.
func (s *scanner) clock() time.Duration {
	hour := s.digits(2)
	s.expect(':')
	minute := s.digits(2)
	var second int
	var fraction time.Duration
	if s.skip(':') {
		second = s.digits(2)
		if s.skip('.') || s.skip(',') {
			fraction = s.fraction()
		}
	}
	s.bad = s.bad || hour > 23 || minute > 59 || second > 60
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second + fraction
}

// fraction reads the digits after the point of a second, to the millisecond.
func (s *scanner) fraction() (f time.Duration) {
	n := leading(s.rest, isDigit)
	s.bad = s.bad || n == 0
	unit := 100 * time.Millisecond
	for _, digit := range s.rest[:min(n, 3)] {
		f += time.Duration(digit-'0') * unit
		unit /= 10
	}
	s.rest = s.rest[n:]
	return f
}

// zone reads how far the time is ahead of UTC, and whether the text says so. Behind a number it reads what Go's time.String adds.
func (s *scanner) zone() (offset time.Duration, zoned bool) {
	if s.rest == "" {
		return 0, false
	}
	s.skip(' ')
	if name := strings.ToUpper(s.rest); name == "Z" || name == "UTC" {
		s.rest = ""
		return 0, true
	}
	behind := s.skip('-')
	if !behind {
		s.expect('+')
	}
	hour, minute := s.digits(2), 0
	if s.rest != "" {
		s.skip(':')
		minute = s.digits(2)
	}
	s.bad = s.bad || hour > 23 || minute > 59
	offset = time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute
	if behind {
		offset = -offset
	}
	s.zoneName()
	s.monotonic()
	return offset, true
}

// zoneName reads past the name of the zone that Go's time.String writes behind its number, such as " CET", " -03" or " UTC+8". The number
// before it is what counts.
func (s *scanner) zoneName() {
	if name, isName := strings.CutPrefix(s.rest, " "); isName && !strings.HasPrefix(name, monotonicClock) {
		n := leading(name, isZoneName)
		s.bad = s.bad || n == 0 || n > maxZoneName
		s.rest = name[n:]
	}
}

// monotonic reads past the reading of the monotonic clock that Go's time.String ends with, such as " m=+0.012345678".
func (s *scanner) monotonic() {
	clock, isClock := strings.CutPrefix(s.rest, " "+monotonicClock)
	if !isClock {
		return
	}
	s.rest = clock
	if !s.skip('-') {
		s.expect('+')
	}
	whole, fraction, _ := strings.Cut(s.rest, ".")
	s.bad = s.bad || !isDigits(whole) || !isDigits(fraction)
	s.rest = ""
}

const (
	monotonicClock = "m="
	// No zone has a longer name: the longest in the time zone database has 30 characters.
	maxZoneName = 40
)

// isZoneName says whether a zone's name may hold the character.
func isZoneName(c byte) bool {
	return isDigit(c) || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || strings.IndexByte("+-/_:", c) >= 0
}

// digits reads a number of exactly n digits.
func (s *scanner) digits(n int) (v int) {
	if leading(s.rest, isDigit) < n {
		s.bad, s.rest = true, ""
		return 0
	}
	for _, digit := range s.rest[:n] {
		v = v*10 + int(digit-'0')
	}
	s.rest = s.rest[n:]
	return v
}

func (s *scanner) skip(c byte) bool {
	if s.rest == "" || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

func (s *scanner) expect(c byte) { s.bad = !s.skip(c) || s.bad }
