package callproto_test

import (
	"math"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sojournhq/sojourn/internal/domain/callproto"
)

func TestASpanHoldsTheMillisecondsFromItsFirstBoundToBeforeItsSecond(t *testing.T) {
	at := func(d time.Duration) *timestamppb.Timestamp { return timestamppb.New(time.UnixMilli(0).Add(d)) }
	for name, c := range map[string]struct {
		from, to         *timestamppb.Timestamp
		wantFrom, wantTo int64
	}{
		"no bounds":               {nil, nil, 0, math.MaxInt64},
		"whole milliseconds":      {at(5 * time.Millisecond), at(7 * time.Millisecond), 5, 7},
		"just after a boundary":   {at(5*time.Millisecond + 1), at(7*time.Millisecond + 1), 6, 8},
		"just before a boundary":  {at(5*time.Millisecond - 1), at(7*time.Millisecond - 1), 5, 7},
		"empty":                   {at(time.Second), at(time.Second), 1000, 1000},
		"to the end of the years": {nil, timestamppb.New(time.Date(2261, 12, 31, 23, 59, 59, 0, time.UTC)), 0, 9_214_646_399_000},
	} {
		from, to, err := callproto.Span(c.from, c.to)
		if err != nil || from != c.wantFrom || to != c.wantTo {
			t.Errorf("%s: %d to %d, %v, want %d to %d", name, from, to, err, c.wantFrom, c.wantTo)
		}
	}
}

func TestASpanOutsideTheYearsOrBackwardsIsRefused(t *testing.T) {
	for want, bounds := range map[string][2]*timestamppb.Timestamp{
		"from is outside 1970 to 2261": {timestamppb.New(time.UnixMicro(-1)), nil},
		"to is outside 1970 to 2261":   {nil, timestamppb.New(time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC))},
		"from is after to":             {timestamppb.New(time.UnixMilli(2)), timestamppb.New(time.UnixMilli(1))},
	} {
		if _, _, err := callproto.Span(bounds[0], bounds[1]); err == nil || err.Error() != want {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
