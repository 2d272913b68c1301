package directory

import "github.com/sojournhq/sojourn/internal/domain/call"

const (
	// MaxKept is how many rejections of a workspace are kept to be looked at.
	MaxKept = 1000
	// MaxBody is how much of the body of a rejection is kept, in bytes.
	MaxBody = 32 << 10
)

// Batch is what is recorded at once.
type Batch struct {
	// Calls pass call.Check.
	Calls []call.Call
	// Rejections have codes, and types and sources within the limits of a call's, and bodies of at most MaxBody.
	Rejections []Rejection
	// Filtered have types and sources within the limits of a call's.
	Filtered []Filtered
	// ReceivedMS is when all of it was received, in milliseconds.
	ReceivedMS int64
	// KeepFromMS is a time, in milliseconds: rejections received before it are not kept.
	KeepFromMS int64
}

// Rejection is a call that was refused.
type Rejection struct {
	Source, Type string
	// Code says why.
	Code string
	// Fingerprint is a hash of the call's content. The same content rejected again, by the same source, is a duplicate.
	Fingerprint [16]byte

	// Message says what to fix, and Field which property; empty where it is none.
	Message, Field string
	// MessageID, UserID and TimeMS, the event time, are those of the call where they could be read, else empty and 0.
	MessageID, UserID string
	TimeMS            int64
	// Body is what was sent, or its beginning; BodyBytes is how long all of it is.
	Body      []byte
	BodyBytes int64

	// Accepted, if set, is the own timestamp under which the call, with its MessageID, was accepted before another service refused it. It
	// counts as rejected from now on, once, and not as accepted.
	Accepted *int64
}

// Filtered is a call that the rules of its source leave out.
type Filtered struct{ Source, Type string }

// Recorded is what became of a batch.
type Recorded struct {
	// Results has one for each call.
	Results []Result
	// Repeated says for each rejection whether it is a duplicate.
	Repeated []bool
}

// Kept is a rejection that is kept to be looked at.
type Kept struct {
	Rejection

	// Number is greater than that of every rejection that came before. No two share one.
	Number uint64
	// ReceivedMS is when it was received last, and Times how often it was while it was kept.
	ReceivedMS, Times int64
}
