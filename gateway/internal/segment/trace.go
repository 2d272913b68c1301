package segment

import "github.com/sojournhq/sojourn/gateway/internal/mapping"

// Origin says where something in a call was found. The zero value says that it was not.
type Origin struct {
	// Found says that it was found.
	Found bool
	// Path is the place in the call; empty: it is a literal of the mapping.
	Path string
	// Rule is the rule of the mapping that says so, such as "module[0]"; empty: it is a default.
	Rule string
}

// Trace says where the parts of one call were found.
type Trace struct {
	Feature, Module, Account, User, Session, Time Origin
	// Dimensions by name.
	Dimensions map[string]Origin
	// Why says how the event time comes from what was found.
	Why TimeReason
}

// TimeReason says why the event time is what it is.
type TimeReason string

// The reasons.
const (
	// TimeOwn: it is the call's own timestamp.
	TimeOwn TimeReason = "own"
	// TimeMapped: the mapping found it.
	TimeMapped TimeReason = "mapped"
	// TimeDelivered: the sender's clock is off, and Segment corrected the time.
	TimeDelivered TimeReason = "corrected_by_segment"
	// TimeCorrected: the sender's clock is off, and the own timestamp was moved by how much.
	TimeCorrected TimeReason = "corrected_by_sent_at"
	// TimeClamped: it would lie too far ahead, and is the time of receipt.
	TimeClamped TimeReason = "clamped_to_receipt"
)

// Explain is Parse, and says where everything was found. Of a rejected call it returns what was found before that was known.
func Explain(raw []byte, o *Options) (Parsed, *Rejection, Trace) {
	t := Trace{Dimensions: map[string]Origin{}}
	parsed, rejection := parse(raw, o, &t)
	return parsed, rejection, t
}

// note notes in the trace, if there is one, by which rule something was found.
func (p *parser) note(where func(*Trace) *Origin, r *mapping.Rule) {
	if p.trace != nil && r != nil {
		*where(p.trace) = originOf(r)
	}
}

func originOf(r *mapping.Rule) Origin { return Origin{Found: true, Path: r.Path, Rule: r.Place} }

func (p *parser) why(reason TimeReason) {
	if p.trace != nil {
		p.trace.Why = reason
	}
}
