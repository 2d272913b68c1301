package limit

import "time"

// RefusedError is why a request is not taken now, though it may be good. It is an error.
type RefusedError struct {
	// Overloaded: the process has no room for anybody. Otherwise the sender is beyond what it may use.
	Overloaded bool
	// Code and Message are for the sender, Reason is for the metrics.
	Code, Message, Reason string
	// After is when trying again makes sense.
	After time.Duration
}

// Error implements error.
func (r *RefusedError) Error() string { return r.Code + ": " + r.Message }

// refusals are those of one limit: of who is beyond its share, and of anybody while there is nothing left.
type refusals struct{ share, full RefusedError }

// Codes of refusals.
const (
	CodeRateLimited     = "rate_limited"
	CodeTooManyRequests = "too_many_requests"
	CodeOverloaded      = "overloaded"
)

// soon is when room may be free that others hold now.
const soon = time.Second

func tooMany(reason, message string) RefusedError {
	return RefusedError{Code: CodeTooManyRequests, Message: message, Reason: reason, After: soon}
}

func overloaded(reason string) RefusedError {
	return RefusedError{
		Overloaded: true, Code: CodeOverloaded, Reason: reason, After: soon,
		Message: "too much is under way: send the same again a little later",
	}
}

const workspaceBusy = "too much of this workspace is under way at once: send the same again a little later"

func shared(what string) refusals {
	return refusals{share: tooMany("workspace_"+what, workspaceBusy), full: overloaded("all_" + what)}
}

func rateOf(wait time.Duration) refusals {
	return refusals{share: RefusedError{
		Code: CodeRateLimited, Message: "calls_per_second of this source is used up: send the same again later", Reason: "source_rate",
		After: wait,
	}}
}

func tooBusy() refusals {
	return refusals{share: tooMany("source_concurrency",
		"concurrent_requests of this source are under way: send the same again a little later")}
}
