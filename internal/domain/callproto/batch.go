package callproto

import (
	"errors"

	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"

	"github.com/sojournhq/sojourn/internal/domain/call"
)

// MaxBatch is how many calls one request may hold.
const MaxBatch = 10_000

// Errors of a whole batch, all the client's.
var (
	ErrNoWorkspace = errors.New("workspace is required")
	ErrTooMany     = errors.New("more than 10000 calls in one request")
)

// Batch is the calls of one request: those that pass their check, to be stored, and the results of the others.
type Batch struct {
	// Valid are the calls to store, in the order in which they came.
	Valid []call.Call

	results []*segmentv1.Result // nil where the call is valid
}

// NewBatch translates and checks the calls of a request.
func NewBatch(workspace string, calls []*segmentv1.Call) (*Batch, error) {
	if workspace == "" {
		return nil, ErrNoWorkspace
	}
	if len(calls) > MaxBatch {
		return nil, ErrTooMany
	}
	b := &Batch{Valid: make([]call.Call, 0, len(calls)), results: make([]*segmentv1.Result, len(calls))}
	for i, m := range calls {
		c := Call(m)
		if err := c.Check(); err != nil {
			b.results[i] = &segmentv1.Result{Outcome: segmentv1.Outcome_OUTCOME_INVALID, Message: err.Error()}
			continue
		}
		b.Valid = append(b.Valid, c)
	}
	return b, nil
}

// Results returns one result for each call of the request, given the outcomes of the valid ones in their order.
func (b *Batch) Results(outcomes []call.Outcome) []*segmentv1.Result {
	made := make([]segmentv1.Result, len(outcomes)) // in one piece
	next := 0
	for i := range b.results {
		if b.results[i] == nil {
			b.results[i] = &made[next]
			b.results[i].Outcome = segmentv1.Outcome(outcomes[next])
			next++
		}
	}
	return b.results
}
