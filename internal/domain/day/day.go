// Package day counts UTC days.
package day

import (
	"errors"
	"time"
)

// Day is a UTC day, counted from 1970-01-01 as 0.
type Day uint32

// Max is later than every day that a call can have.
const Max Day = 1 << 20

const millis = 24 * 60 * 60 * 1000

// ErrMalformed says that a text is no day.
var ErrMalformed = errors.New("not a day such as 2026-11-01")

// Of returns the day of a time in milliseconds since 1970.
func Of(ms int64) Day { return Day(ms / millis) }

// StartMS returns the time at which the day starts, in milliseconds since 1970.
func (d Day) StartMS() int64 { return int64(d) * millis }

// String returns the day as "2026-11-01".
func (d Day) String() string { return time.UnixMilli(d.StartMS()).UTC().Format(time.DateOnly) }

// Span is a run of days, both ends included.
type Span struct{ From, To Day }

// ParseSpan reads two days as "2026-11-01". An empty first one is the beginning of time, an empty last one its end. The error names
// the field.
func ParseSpan(from, to string) (Span, error) {
	span := Span{From: 0, To: Max}
	var err error
	if from != "" {
		if span.From, err = Parse(from); err != nil {
			return Span{}, errors.New("from_day is " + err.Error())
		}
	}
	if to != "" {
		if span.To, err = Parse(to); err != nil {
			return Span{}, errors.New("to_day is " + err.Error())
		}
	}
	if span.From > span.To {
		return Span{}, errors.New("from_day is after to_day")
	}
	return span, nil
}

// Contains says whether d lies in the span.
func (s Span) Contains(d Day) bool { return s.From <= d && d <= s.To }

// Parse reads a day as "2026-11-01", from 1970 to 2261.
func Parse(text string) (Day, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil || t.Year() < 1970 || t.Year() > 2261 {
		return 0, ErrMalformed
	}
	return Of(t.UnixMilli()), nil
}
