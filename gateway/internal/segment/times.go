package segment

import (
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/timestamp"
)

// moment is a time in milliseconds since 1970, if there is one.
type moment struct {
	ms int64
	// own is the time as part of a call's identity: the same, but for a time without a zone, which is read as UTC here. So what tells calls
	// apart follows from the text alone, whatever the zone of the sender is called and whatever is known of it.
	own int64
	set bool
}

// readTimes takes the call's own timestamp, which is part of its identity, and works out its event time.
func (p *parser) readTimes() *Problem {
	t, problem := p.ownTimes()
	if problem != nil {
		return problem
	}
	p.call.OriginalMS = t.own.own
	mapped, problem := p.mappedTime()
	switch {
	case problem != nil:
		return problem
	case mapped.set:
		p.why(TimeMapped)
		p.call.TimeMS = p.clamp(mapped.ms)
	case t.atReceipt:
		p.why(TimeOwn)
		p.call.TimeMS = t.own.ms // by our own clock, which nothing corrects
	default:
		if p.trace != nil {
			p.trace.Time = Origin{Found: true, Path: map[bool]string{true: "originalTimestamp", false: "timestamp"}[t.fromOriginal]}
		}
		p.call.TimeMS = p.correctAndClamp(&t)
	}
	return nil
}

// ownTimes are the times that a call says of itself.
type ownTimes struct {
	// own is the call's own timestamp: the original one, or the other where there is none that can be read.
	own moment
	// delivered is the timestamp that Segment delivers beside the original one. Not set: the call has one time only.
	delivered moment
	// fromOriginal says that own is the original one, atReceipt that it is when the call was received.
	fromOriginal, atReceipt bool
}

// ownTimes reads them.
func (p *parser) ownTimes() (t ownTimes, problem *Problem) {
	original, unreadable := p.moment(p.env.originalTimestamp, "originalTimestamp", "original_timestamp")
	timestamp, problem := p.moment(p.env.timestamp, "timestamp", "timestamp")
	switch {
	case unreadable != nil && (problem != nil || !timestamp.set):
		return t, unreadable
	case unreadable != nil:
		p.warn(unreadable.Code, unreadable.Field,
			"originalTimestamp is no time and timestamp was taken in its place: send it as 2026-11-01T12:00:00.000Z")
		// The timestamp beside it is right as it stands, if Segment wrote it.
		return ownTimes{own: timestamp, delivered: timestamp}, nil
	case problem != nil:
		return t, problem
	case original.set:
		return ownTimes{own: original, delivered: timestamp, fromOriginal: true}, nil
	case timestamp.set:
		return ownTimes{own: timestamp}, nil
	case p.o.AtReceipt:
		received := p.o.Received.UnixMilli()
		return ownTimes{own: moment{ms: received, own: received, set: true}, atReceipt: true}, nil
	}
	return t, &Problem{
		"timestamp_required", "originalTimestamp or timestamp is required: when it happened, as 2026-11-01T12:00:00.000Z",
		"timestamp",
	}
}

// mappedTime returns the event time that the mapping finds, if it finds one. It is taken as it stands: what the sender's clock is off says
// nothing about a time that the sender did not read from it just then.
func (p *parser) mappedTime() (moment, *Problem) {
	for i := range p.mapping.Time.Rules {
		r := &p.mapping.Time.Rules[i]
		if !r.For(p.call.Type, p.event) {
			continue
		}
		var m moment
		var problem *Problem
		if r.Path == "" {
			m.ms, _, _ = timestamp.Parse(r.Literal) // it was read when the configuration was
			m.set = true
		} else if m, problem = p.moment(p.at(r.Keys()), r.Path, "time"); problem != nil {
			return moment{}, problem
		}
		if m.set {
			p.note(func(t *Trace) *Origin { return &t.Time }, r)
			return m, nil
		}
	}
	return moment{}, nil
}

// correctAndClamp returns the event time, and warns if it is another one than the call's own because a clock is wrong.
func (p *parser) correctAndClamp(t *ownTimes) int64 {
	corrected, why := p.correct(t)
	p.why(why)
	if at := p.clamp(corrected); at != corrected {
		return at
	}
	const moved, code = "the event time was moved ", "time_corrected"
	by := corrected - t.own.ms
	switch why {
	case TimeDelivered:
		p.warn(code, "timestamp", moved+movedBy(by)+
			", to timestamp, because originalTimestamp is off by more than max_clock_skew: check the clock of the device")
	case TimeCorrected:
		p.warn(code, "sentAt", moved+movedBy(by)+
			", as much as sentAt is off the receipt: check the clock of the sender, and that sentAt is set when the call is sent")
	case TimeOwn, TimeMapped, TimeClamped:
	}
	return corrected
}

// movedBy says by how much something was moved, and in which direction.
func movedBy(ms int64) string {
	if ms < 0 {
		return "back by " + (time.Duration(-ms) * time.Millisecond).String()
	}
	return "ahead by " + (time.Duration(ms) * time.Millisecond).String()
}

// correct returns the event time: the own timestamp, unless the sender's clock is shown to be wrong. Where Segment corrected it
// already, Segment is right; a call straight from a client is moved by what the client's clock is off at sending.
func (p *parser) correct(t *ownTimes) (int64, TimeReason) {
	skew := p.o.MaxClockSkew.Milliseconds()
	if t.delivered.set {
		if distance(t.own.ms, t.delivered.ms) > skew {
			return t.delivered.ms, TimeDelivered
		}
		return t.own.ms, TimeOwn
	}
	sent, received := p.sentAt(), p.receivedAt()
	if !sent.set || distance(sent.ms, received) <= skew {
		return t.own.ms, TimeOwn
	}
	return received - (sent.ms - t.own.ms), TimeCorrected
}

// clamp moves a time that cannot be to when the call was received.
func (p *parser) clamp(ms int64) int64 {
	received := p.o.Received.UnixMilli()
	if ms < 0 || ms > call.MaxTimeMS || ms > received+p.o.MaxClockSkew.Milliseconds() {
		p.warn("timestamp_clamped", "timestamp",
			"the event time lies too far ahead and was set to the time of receipt: check the sender's clock")
		p.why(TimeClamped)
		return received
	}
	return ms
}

// sentAt returns when the sender sent the call or its batch, by its own clock.
func (p *parser) sentAt() moment {
	sent := p.env.sentAt
	if absent(sent) {
		sent = p.o.Batch.SentAt
	}
	m, problem := p.moment(sent, "sentAt", "sent_at")
	if problem != nil {
		p.warn(problem.Code, problem.Field, "sentAt is no time and was left out of account: send it as 2026-11-01T12:00:00.000Z")
	}
	return m
}

// receivedAt returns when the call reached Segment, where that stands in it, or else us: between the two may lie hours of retries.
func (p *parser) receivedAt() int64 {
	if name, ok := text(p.env.receivedAt); ok {
		if ms, _, err := timestamp.Parse(strings.TrimSpace(name)); err == nil {
			return ms
		}
	}
	return p.o.Received.UnixMilli()
}

// moment returns the time in v: text, or a number of seconds or milliseconds since 1970.
func (p *parser) moment(v jsontext.Value, field, code string) (moment, *Problem) {
	if absent(v) {
		return moment{}, nil
	}
	var ms int64
	var err error
	zoned := true
	s, isText := text(v)
	switch s = strings.TrimSpace(s); {
	case isText && s == "":
		return moment{}, nil
	case isText:
		ms, zoned, err = timestamp.Parse(s)
	case v.Kind() == jsontext.KindNumber:
		ms, err = timestamp.ParseNumber(string(v))
	}
	m := moment{ms: ms, own: ms, set: true}
	if !zoned && err == nil {
		m.ms, err = p.inZone(ms, field)
	}
	if err != nil || !isText && v.Kind() != jsontext.KindNumber {
		return moment{}, &Problem{
			code + "_invalid", field + " is no time between 1970 and 2261: send it as 2026-11-01T12:00:00.000Z", field,
		}
	}
	return m, nil
}

func distance(a, b int64) int64 { return max(a-b, b-a) }
