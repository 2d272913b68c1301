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
	// Smaller numbers are no times: years, counts of days and 0 are mistakes, not 1970.
	minNumber = 1e8
	// Numbers up to this are seconds, greater ones milliseconds: as seconds they would lie beyond 2261.
	maxSeconds = call.MaxTimeMS / 1000
	// No real time is written with more characters.
	maxNumberChars = 64
)

// Parse returns the time that text writes, in milliseconds since 1970, and whether the text said its zone; a time without one is UTC.
//
// It reads a date, then optionally "T", "t" or one space and the time of day (hours and minutes at least), then optionally the zone: "Z",
// "z", "UTC" or an offset such as "+01:00", "+0100" or "+01", after one space if need be. Behind an offset it reads past what Go writes
// there: the zone's name and the reading of the monotonic clock. It also reads what ParseNumber reads, if that is digits with at most one
// point; it has its zone. Space around the text does not count.
func Parse(text string) (ms int64, zoned bool, err error) {
	text = strings.TrimSpace(text)
	if isNumber(text) {
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
// 2262 when taken as seconds is taken as seconds; a greater one is milliseconds. A number below 100,000,000 is no time.
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
	case about < minNumber-1:
		return 0, ErrMalformed // also keeps tiny exponents from the exact arithmetic
	}
	exact, ok := new(big.Rat).SetString(text)
	if !ok || exact.Cmp(big.NewRat(minNumber, 1)) < 0 {
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
	return isDigits(whole) && (fraction == "" || isDigits(fraction))
}

// isDigits says whether text is digits, at least one.
func isDigits(text string) bool { return text != "" && leading(text, isDigit) == len(text) }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// leading returns how many characters at the front of text are of a kind.
func leading(text string, kind func(byte) bool) (n int) {
	for n < len(text) && kind(text[n]) {
		n++
	}
	return n
}

// date returns the moment, if there is such a day: time.Date would turn 30 February into 2 March.
func date(year, month, day int, ofDay time.Duration) (time.Time, bool) {
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	return t.Add(ofDay), t.Month() == time.Month(month) && t.Day() == day
}
