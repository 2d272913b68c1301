package callproto

import (
	"errors"
	"math"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sojournhq/sojourn/internal/domain/call"
)

// Span translates the bounds of a request, `from` inclusive and `to` exclusive, to milliseconds since 1970. A bound that is not set is the
// beginning or the end of time. What is finer than a millisecond is rounded up: times are whole milliseconds, so those at or after a bound,
// and those before it, stay the same. The error names the bound.
func Span(from, to *timestamppb.Timestamp) (fromMS, toMS int64, err error) {
	toMS = math.MaxInt64
	for _, bound := range []struct {
		field string
		value *timestamppb.Timestamp
		into  *int64
	}{{"from", from, &fromMS}, {"to", to, &toMS}} {
		if bound.value == nil {
			continue
		}
		ms := bound.value.AsTime().UnixMilli()
		if bound.value.CheckValid() != nil || ms < 0 || ms > call.MaxTimeMS {
			return 0, 0, errors.New(bound.field + " is outside 1970 to 2261")
		}
		*bound.into = bound.value.AsTime().Add(time.Millisecond - 1).UnixMilli()
	}
	if fromMS > toMS {
		return 0, 0, errors.New("from is after to")
	}
	return fromMS, toMS, nil
}
