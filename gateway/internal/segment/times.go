package segment

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/timestamp"
)

// moment is a time in milliseconds since 1970, if there is one.
type moment struct {
	ms  int64
	set bool
}

// readTimes takes the call's own timestamp, which is part of its identity, and works out its event time.
func (p *parser) readTimes() *Problem {
	original, unreadable := p.moment(p.env.originalTimestamp, "originalTimestamp", "original_timestamp")
	delivered, problem := p.moment(p.env.timestamp, "timestamp", "timestamp")
	switch {
	case unreadable != nil && (p.call.Type != call.Delete || problem != nil || !delivered.set):
		return unreadable
	case unreadable != nil:
		// Segment writes it into its delete calls as its own programs print times. The timestamp beside it is right as it stands.
		original = delivered
	case problem != nil:
		return problem
	}
	own := original
	if !own.set {
		own = delivered
	}
	atReceipt := !own.set && p.o.AtReceipt
	if atReceipt {
		own = moment{ms: p.o.Received.UnixMilli(), set: true}
	}
	if !own.set {
		return &Problem{
			"timestamp_required", "originalTimestamp or timestamp is required: when it happened, as 2026-11-01T12:00:00.000Z",
			"timestamp",
		}
	}
	p.call.OriginalMS = own.ms
	mapped, problem := p.mappedTime()
	switch {
	case problem != nil:
		return problem
	case mapped.set:
		p.why(TimeMapped)
		p.call.TimeMS = p.clamp(mapped.ms)
	case atReceipt:
		p.why(TimeOwn)
		p.call.TimeMS = own.ms // by our own clock, which nothing corrects
	default:
		if p.trace != nil {
			p.trace.Time = Origin{Found: true, Path: map[bool]string{true: "originalTimestamp", false: "timestamp"}[original.set]}
		}
		p.call.TimeMS = p.clamp(p.correct(own, original, delivered))
	}
	return nil
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

// correct returns the event time: the own timestamp, unless the sender's clock is shown to be wrong. Where Segment corrected it
// already, Segment is right; a call straight from a client is moved by what the client's clock is off at sending.
func (p *parser) correct(own, original, delivered moment) int64 {
	skew := p.o.MaxClockSkew.Milliseconds()
	if original.set && delivered.set {
		if distance(original.ms, delivered.ms) > skew {
			p.why(TimeDelivered)
			return delivered.ms
		}
		p.why(TimeOwn)
		return own.ms
	}
	sent, received := p.sentAt(), p.receivedAt()
	if !sent.set || distance(sent.ms, received) <= skew {
		p.why(TimeOwn)
		return own.ms
	}
	p.why(TimeCorrected)
	return received - (sent.ms - own.ms)
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
	if err != nil || !isText && v.Kind() != jsontext.KindNumber {
		return moment{}, &Problem{
			code + "_invalid", field + " is no time between 1970 and 2261: send it as 2026-11-01T12:00:00.000Z", field,
		}
	}
	if !zoned {
		p.warn("timestamp_zone_missing", field, field+" has no time zone and was taken as UTC: end it with Z or an offset")
	}
	return moment{ms: ms, set: true}, nil
}

func distance(a, b int64) int64 { return max(a-b, b-a) }
