// Package timestamp reads the times that senders write: RFC 3339 and the forms of it that libraries really produce, and seconds or
// milliseconds since 1970. Times are whole milliseconds from 1970 to 2261; what is finer is cut off, never rounded.
package timestamp

import (
	"errors"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/sojournhq/sojourn/internal/domain/call"
)

// Errors of both functions. They quote nothing of the text.
var (
	ErrMalformed = errors.New("not a time such as 2026-11-01T12:00:00.000Z")
	ErrRange     = errors.New("time is outside 1970 to 2261")
)

const (
	// Numbers up to this are seconds, greater ones milliseconds: as seconds they would lie beyond 2261.
	maxSeconds = call.MaxTimeMS / 1000
	// Written as a string, fewer digits are rather a year or a compact date than seconds since 1970.
	minTextDigits = 9
	// No real time is written with more characters.
	maxNumberChars = 64
)

// Parse returns the time that text writes, in milliseconds since 1970, and whether the text said its zone; a time without one is UTC.
//
// It reads a date, then optionally "T", "t" or one space and the time of day (hours and minutes at least), then optionally the zone: "Z",
// "z", "UTC" or an offset such as "+01:00", "+0100" or "+01", after one space if need be. It also reads the decimal text of seconds or
// milliseconds since 1970, of nine digits or more, which have their zone. Space around the text does not count.
func Parse(text string) (ms int64, zoned bool, err error) {
	text = strings.TrimSpace(text)
	if isNumber(text) {
		if leadingDigits(text) < minTextDigits {
			return 0, false, ErrMalformed
		}
		ms, err = ParseNumber(text)
		return ms, err == nil, err
	}
	s := scanner{rest: text}
	t, zoned := s.time()
	if s.bad || s.rest != "" {
		return 0, false, ErrMalformed
	}
	if ms = t.UnixMilli(); ms < 0 || ms > call.MaxTimeMS {
		return 0, false, ErrRange
	}
	return ms, zoned, nil
}

// ParseNumber returns the time that the decimal text of a number stands for, in milliseconds since 1970. A number that is a time before
// 2262 when taken as seconds is taken as seconds; a greater one is milliseconds.
func ParseNumber(text string) (int64, error) {
	if len(text) > maxNumberChars || strings.Trim(text, "0123456789.eE+-") != "" {
		return 0, ErrMalformed
	}
	about, err := strconv.ParseFloat(text, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, ErrMalformed
	}
	switch {
	case about < 0 || about > call.MaxTimeMS+1:
		return 0, ErrRange
	case about < 0.001:
		return 0, nil // also keeps tiny exponents from the exact arithmetic
	}
	exact, ok := new(big.Rat).SetString(text)
	if !ok {
		return 0, ErrMalformed
	}
	if exact.Cmp(big.NewRat(maxSeconds+1, 1)) < 0 {
		exact.Mul(exact, big.NewRat(1000, 1))
	}
	ms := new(big.Int).Quo(exact.Num(), exact.Denom())
	if ms.Cmp(big.NewInt(call.MaxTimeMS)) > 0 {
		return 0, ErrRange
	}
	return ms.Int64(), nil
}

// isNumber says whether text is digits with at most one point.
func isNumber(text string) bool {
	whole, fraction, _ := strings.Cut(text, ".")
	return whole != "" && leadingDigits(whole) == len(whole) && leadingDigits(fraction) == len(fraction)
}

func leadingDigits(text string) (n int) {
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	return n
}

// date returns the moment, if there is such a day: time.Date would turn 30 February into 2 March.
func date(year, month, day int, ofDay time.Duration) (time.Time, bool) {
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	return t.Add(ofDay), t.Month() == time.Month(month) && t.Day() == day
}
