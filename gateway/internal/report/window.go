package report

import (
	"errors"
	"time"

	"github.com/sojournhq/sojourn/internal/domain/day"
)

// window is a run of days that ends on the day that is today to a report.
type window struct {
	asOf day.Day
	days int
}

const (
	defaultWindow = 30
	maxWindow     = 366
	// active users are told of this many days at most.
	month = 30
)

// parseWindow reads a window; an empty day is today.
func parseWindow(asOf string, days int32, now time.Time) (window, error) {
	w := window{asOf: day.Of(now.UnixMilli()), days: int(days)}
	if asOf != "" {
		d, err := day.Parse(asOf)
		if err != nil {
			return w, errors.New("as_of_day is " + err.Error())
		}
		w.asOf = d
	}
	switch {
	case days < 0:
		return w, errors.New("days is negative")
	case days > maxWindow:
		return w, errors.New("days is more than 366")
	case days == 0:
		w.days = defaultWindow
	}
	return w, nil
}

// back returns the day n days before today, and no day before the first there is.
func (w window) back(n int) day.Day { return w.asOf - min(w.asOf, day.Day(n)) }

// firstDay returns the first of the n days up to today.
func (w window) firstDay(n int) day.Day { return w.back(n - 1) }

// first returns the first of the n days up to today, as a question names it.
func (w window) first(n int) string { return w.firstDay(n).String() }
