// Package segment reads Segment's JSON into calls: strictly, and without a word of HTTP.
//
// A body is either one call or a batch. Split finds the calls of a batch by where they stand, tolerating inside them whatever can be
// tolerated, so that a bad call costs only itself; Parse reads one call and says what it is, or what has to be fixed. JSON is read
// exactly: keys match byte for byte, a key that stands twice, invalid UTF-8 and half a surrogate pair reject the call, and numbers keep
// the text they were sent with. Only the names of traits are left for others to read liberally.
package segment

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sojournhq/sojourn/internal/domain/call"

	"github.com/sojournhq/sojourn/gateway/internal/mapping"
)

// Rules is how the calls of one source are taken.
type Rules struct {
	// Source is the source's id, which its calls carry.
	Source string
	// RequireAnonymousID and RequireUserID reject calls without these ids.
	RequireAnonymousID, RequireUserID bool
	// MaxClockSkew is how wrong a sender's clock may be before event times are corrected.
	MaxClockSkew time.Duration
	// AbsentIDs are what broken clients send for "no id", as in workspace.Source.
	AbsentIDs []string
	// MaxBytes is how long the JSON of one call may be.
	MaxBytes int
	// Mapping is where the calls have what is to be known. Nil: where the contract says.
	Mapping *mapping.Mapping
	// Ignore are the conditions under which calls are left out.
	Ignore []mapping.Condition
	// Deletes says which delete calls are taken.
	Deletes Deletes
}

// Options is what Parse needs to know beside the JSON.
type Options struct {
	Rules
	// Type is the type that the request's path says; it wins over the one in the JSON. 0: the JSON says it.
	Type call.Type
	// Received is when the request arrived.
	Received time.Time
	// AtReceipt makes a call without a time of its own one that happened when it was received.
	AtReceipt bool
	// Delivered: Segment delivers the call to a destination, and has looked at its integrations before.
	Delivered bool
	// Unsigned: the signature of a signed request does not cover this call.
	Unsigned bool
	// Batch is the envelope of the batch that the call stands in; zero for a call that stands alone.
	Batch Envelope
}

// Fingerprint is a hash of a call's content. Sending times and keys are no content, so that a retry has the same.
type Fingerprint [16]byte

// Parsed is a call that was understood. Call passes call.Check, unless the call is filtered: then it holds what could be read.
type Parsed struct {
	Call call.Call
	// FilteredBy says what leaves the call out: "integrations", or the place of a condition of the source such as "ignore[0]". Such a call
	// is counted and told to those who look on, and has no other effect; one of the warnings has CodeFiltered and says why. Empty: the call
	// is taken. Use Filter to set it.
	FilteredBy string
	// Warnings say what should be fixed although the call was taken.
	Warnings []Problem
}

// Filtered says whether the call is left out.
func (p *Parsed) Filtered() bool { return p.FilteredBy != "" }

// Filter has the call left out by that. The message says so to the sender.
func (p *Parsed) Filter(by, message string) {
	p.FilteredBy = by
	p.Warnings = append(p.Warnings, Problem{Code: CodeFiltered, Field: by, Message: message})
}

// Problem says what to fix: a stable code, a message in lower case that names the field, and the field. It quotes nothing of the call.
type Problem struct {
	Code, Message, Field string
}

// Rejection is a call, or a whole request, that was not taken.
type Rejection struct {
	Problem
	// Type is the call's type as far as it could be read.
	Type string
	// MessageID and UserID are the call's ids, and TimeMS is its event time, as far as they could be read; else empty and 0.
	MessageID, UserID string
	TimeMS            int64
	Fingerprint       Fingerprint
	// Raw is what was sent.
	Raw []byte
	// Encoded: Raw is not the text itself, but that text compressed or in another charset.
	Encoded bool
}

// Codes of rejections that callers treat differently from the others.
const (
	CodeTypeUnsupported = "type_unsupported"
	CodeTooLarge        = "call_too_large"
	CodeCallInvalid     = "call_invalid"
)

// CodeFiltered is the code of the warning that a rule of the source left a call out.
const CodeFiltered = "filtered"

// Parse reads one call. Exactly one of the results is meaningful: the rejection if it is not nil, else the call.
func Parse(raw []byte, o *Options) (Parsed, *Rejection) { return parse(raw, o, nil) }

// parse is Parse that notes in the trace, if there is one, where everything was found.
func parse(raw []byte, o *Options, t *Trace) (Parsed, *Rejection) {
	p := newParser(raw, o)
	defer p.free()
	p.trace = t
	if p.own.read(raw) || p.nullNotNumbers() && p.own.read(p.raw) {
		p.outline = &p.own
	}
	return p.parse()
}

// parse reads the call that the parser is made for.
func (p *parser) parse() (Parsed, *Rejection) {
	problem := p.read()
	if problem == nil {
		problem = p.readType()
	}
	if problem == nil {
		if by := p.filteredBy(); by != "" {
			return p.filtered(by), nil
		}
		problem = p.fill()
	}
	if problem != nil {
		return p.partly(), p.rejection(*problem)
	}
	return Parsed{Call: p.call, Warnings: p.warnings}, nil
}

// partly returns what was understood of a call that is rejected, for a trace. Others need none of it.
func (p *parser) partly() Parsed {
	if p.trace == nil {
		return Parsed{}
	}
	return Parsed{Call: p.call, Warnings: p.warnings}
}

// contract is the mapping of sources that have none. It is made once, and nothing changes it.
//
//nolint:gochecknoglobals // as said
var contract = sync.OnceValue(func() *mapping.Mapping { return mapping.New(nil) })

// rejection tells as much of a call as could be read: whoever looks for it, or for what there is of a user, has to find it.
func (p *parser) rejection(problem Problem) *Rejection {
	if p.call.TimeMS == 0 {
		_ = p.readTimes() // what is wrong with it is known already, or is not what the call was rejected for
	}
	if p.call.UserID == "" {
		p.call.UserID, _, _ = p.findID(&p.mapping.User, "user_id")
	}
	return &Rejection{
		Problem: problem, Type: p.typeName, MessageID: p.env.readableMessageID(), UserID: p.call.UserID, TimeMS: p.call.TimeMS,
		Fingerprint: FingerprintOfCall(p.typeName, p.raw), Raw: p.came,
	}
}

// parser carries one call through the steps of Parse.
type parser struct {
	o       *Options
	came    []byte // the call as it was sent
	raw     []byte // the same with null in the place of what is no number
	mapping *mapping.Mapping
	trace   *Trace
	// outline is where everything stands, and root the call in it. Nil: the call has to be read again for whatever is wanted of it.
	outline  *outline
	root     int
	own      outline // of a call that is no part of a batch
	slow     *reader // for what has no outline, once there is such
	env      envelope
	typeName string
	event    mapping.Event
	call     call.Call
	warnings []Problem
}

// parsers are those that nobody uses.
//
//nolint:gochecknoglobals // it holds memory and nothing else
var parsers = sync.Pool{New: func() any { return &parser{} }}

func newParser(raw []byte, o *Options) *parser {
	p := parsers.Get().(*parser)
	p.o, p.came, p.raw, p.mapping = o, raw, raw, o.Mapping
	if p.mapping == nil {
		p.mapping = contract()
	}
	return p
}

// free gives the parser back. It keeps nothing but the memory of its outline.
func (p *parser) free() {
	nodes := p.own.nodes
	*p = parser{}
	p.own.nodes = nodes[:0]
	parsers.Put(p)
}

// reader returns what reads JSON that has no outline.
func (p *parser) reader() *reader {
	if p.slow == nil {
		p.slow = &reader{}
	}
	return p.slow
}

// read reads the envelope as strictly as promised, and where that fails, as far as possible, so that the rejection can say which call
// it was.
func (p *parser) read() *Problem {
	if p.o.Type != 0 {
		p.typeName = p.o.Type.String()
	}
	problem := p.readEnvelope()
	if p.typeName == "" {
		if name, ok := typeText(p.env.typ); ok && len(name) <= maxTypeBytes {
			p.typeName = name
		}
	}
	if problem == nil && len(p.came) > p.o.MaxBytes {
		return &Problem{CodeTooLarge, fmt.Sprintf("the call is longer than %d bytes: send less in it, or split it", p.o.MaxBytes), ""}
	}
	return problem
}

// steps make the call out of the envelope, once its type is known.
//
//nolint:gochecknoglobals // a table that nothing changes
var steps = [...]func(*parser) *Problem{
	(*parser).checkDelete, (*parser).readMessageID, (*parser).readTimes, (*parser).readIDs, (*parser).readNames, (*parser).readTraits,
	(*parser).readDimensions, (*parser).readActive,
}

// fill takes one step after the other until one finds what has to be fixed.
func (p *parser) fill() *Problem {
	for _, step := range steps {
		if problem := step(p); problem != nil {
			return problem
		}
	}
	if p.mapping.Own {
		p.call.Sent = p.sent()
	}
	if err := p.call.Check(); err != nil {
		return &Problem{CodeCallInvalid, err.Error(), ""}
	}
	return nil
}

func (p *parser) warn(code, field, message string) {
	p.warnings = append(p.warnings, Problem{Code: code, Message: message, Field: field})
}

// maxTypeBytes is how much of an unknown type is kept for the books.
const maxTypeBytes = 64

func (p *parser) readType() *Problem {
	p.call.Source = p.o.Source
	problem := p.takeType()
	if p.call.Type == call.Track {
		p.event.Name, p.event.Set = text(p.env.event)
		p.event.Name = strings.TrimSpace(p.event.Name)
	}
	return problem
}

// typeText is text for what is one of few.
func typeText(v jsontext.Value) (string, bool) {
	for t := call.Track; t <= call.Delete; t++ {
		if name := t.String(); len(v) == len(name)+2 && string(v[1:len(v)-1]) == name && v[0] == '"' {
			return name, true
		}
	}
	return text(v)
}

func (p *parser) takeType() *Problem {
	if p.o.Type != 0 {
		p.call.Type = p.o.Type
		if name, ok := typeText(p.env.typ); ok && name != p.typeName {
			p.warn("type_mismatch", "type", "type differs from the path of the request; the path's was taken")
		}
		return nil
	}
	name, ok := typeText(p.env.typ)
	switch {
	case absent(p.env.typ), ok && name == "":
		return &Problem{"type_required", "type is required: track, identify, group, page, screen, alias or delete", "type"}
	case !ok:
		return &Problem{"type_invalid", "type is not a string", "type"}
	}
	if p.call.Type = call.ParseType(name); p.call.Type != 0 {
		return nil
	}
	return &Problem{CodeTypeUnsupported, "type is not supported: send track, identify, group, page, screen, alias or delete", "type"}
}
