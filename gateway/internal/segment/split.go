package segment

import (
	"cmp"
	"fmt"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sojournhq/sojourn/internal/domain/callproto"
)

// Batch is a batch of calls, each still JSON and not looked at.
type Batch struct {
	Envelope

	// Calls are parts of the body, in order.
	Calls []jsontext.Value
	// Warnings say what should be fixed about what the batch says for all of its calls.
	Warnings []Problem

	array   bool     // it is an array, not an object that holds one
	outline *outline // nil: the body has none
	roots   []int    // where the calls are in it
}

// Unsigned says whether the signature of a signed body does not cover a call, by its index: of an array Segment signs the first alone.
func (b *Batch) Unsigned(index int) bool { return b.array && index > 0 }

// outlines are those of no batch.
//
//nolint:gochecknoglobals // it holds memory and nothing else
var outlines = sync.Pool{New: func() any { return &outline{} }}

// Parse is Parse for a call of the batch, by its index. With the options of the batch's envelope it spares reading the call again.
func (b *Batch) Parse(index int, o *Options) (Parsed, *Rejection) {
	if b.outline == nil {
		return Parse(b.Calls[index], o)
	}
	p := newParser(b.Calls[index], o)
	defer p.free()
	p.outline, p.root = b.outline, b.roots[index]
	return p.parse()
}

// Free gives back the memory that the batch was read with. Its calls, and what was made of them, stay.
func (b *Batch) Free() {
	if b.outline != nil {
		b.outline.text = nil
		outlines.Put(b.outline)
		b.outline = nil
	}
}

// CodeBatchTooLong is the code of a batch of more calls than one request may hold.
const CodeBatchTooLong = "batch_too_long"

// Split finds the calls of a batch: the elements of the array "batch" of an object, or of an array that is the whole body. Whatever is
// wrong inside a call is left for Parse to find, so it costs that call only; what is wrong with the batch itself costs all of them.
func Split(body []byte) (Batch, *Rejection) {
	b := Batch{outline: outlines.Get().(*outline)}
	if !b.outline.read(body) || !b.take() {
		b.Free()
	}
	var problem *Problem
	if b.outline == nil {
		b = Batch{}
		problem = b.read(body)
	}
	b.array = IsArray(body)
	if problem == nil {
		problem = b.check()
	}
	if problem != nil {
		b.Free()
		return Batch{}, &Rejection{Problem: *problem, Fingerprint: FingerprintOf(body), Raw: body}
	}
	return b, nil
}

// take takes everything out of the outline, if the body is what it should be.
func (b *Batch) take() bool {
	array := 0
	if b.outline.kind(0) == '{' {
		if array = b.outline.member(0, "batch"); array < 0 {
			return false
		}
		b.SentAt = b.outline.of(b.outline.member(0, "sentAt"))
		b.Context = b.outline.of(b.outline.member(0, "context"))
		b.Integrations = b.outline.of(b.outline.member(0, "integrations"))
	}
	if b.outline.kind(array) != '[' {
		return false
	}
	b.outline.within(array, func(n int) bool {
		b.Calls, b.roots = append(b.Calls, b.outline.of(n)), append(b.roots, n)
		return true
	})
	return true
}

// read finds the calls, and what the batch says for all of them.
func (b *Batch) read(body []byte) *Problem {
	// What is wrong inside a call must not keep the others from being found, so spans are found in what is readable for sure.
	d := decoder(readable(body), true)
	take := func(at span) { b.Calls = append(b.Calls, at.of(body)) }
	if !IsArray(body) {
		return b.readEnvelope(d, body, take)
	}
	if err := elementSpans(d, take); err != nil {
		return jsonProblem(err)
	}
	if err := readNothing(d); err != nil {
		return jsonProblem(err)
	}
	return nil
}

// readEnvelope reads the object in which the array of the calls stands, and calls take with where each of them does.
func (b *Batch) readEnvelope(d *jsontext.Decoder, body []byte, take func(span)) *Problem {
	found, array := map[string]bool{}, false
	var twice *Problem
	err := memberSpans(d, func(name string) error {
		switch name {
		case "batch", "sentAt", "context", "integrations":
			if found[name] {
				twice = &Problem{"json_duplicate_key", name + " stands twice in the batch: send it once", name}
			}
			found[name] = true
		}
		if name == "batch" && d.PeekKind() == jsontext.KindBeginArray {
			array = true
			return elementSpans(d, take)
		}
		at, err := readSpan(d)
		switch name {
		case "sentAt":
			b.SentAt = at.of(body)
		case "context":
			b.Context = at.of(body)
		case "integrations":
			b.Integrations = at.of(body)
		}
		return err
	})
	switch {
	case err != nil:
		return jsonProblem(err)
	case twice != nil:
		return twice
	case !array:
		return &Problem{"empty_batch", "batch is required: an array of calls", "batch"}
	}
	return nil
}

// check looks at what the batch says for all of its calls as strictly as at a call.
func (b *Batch) check() *Problem {
	switch {
	case len(b.Calls) == 0:
		return &Problem{"empty_batch", "the batch holds no calls: send at least one", "batch"}
	case len(b.Calls) > callproto.MaxBatch:
		return &Problem{CodeBatchTooLong, fmt.Sprintf("the batch holds more than %d calls: split it", callproto.MaxBatch), "batch"}
	}
	if b.outline == nil { // else all is good for sure
		if problem := cmp.Or(b.checkMember("sentAt", &b.SentAt), b.checkMember("context", &b.Context)); problem != nil {
			return problem
		}
		// Whatever is wrong with these switches nothing off, and is nothing to warn of.
		b.Integrations = nulled(b.Integrations, notNumbers(b.Integrations))
	}
	b.Envelope = b.indexed()
	return nil
}

// checkMember looks at one member that counts for all calls, if it is there, and puts null in the place of what is no number.
func (b *Batch) checkMember(name string, value *jsontext.Value) *Problem {
	if len(*value) == 0 {
		return nil
	}
	if places := notNumbers(*value); len(places) > 0 {
		*value = nulled(*value, places)
		b.Warnings = append(b.Warnings, notNumberIn(name))
	}
	return checkStrict(*value)
}

// IsArray reports whether body is a JSON array, if it is JSON.
func IsArray(body []byte) bool { return jsontext.Value(body).Kind() == jsontext.KindBeginArray }

// IsBatch reports whether body is an array, or an object with a batch.
func IsBatch(body []byte) bool {
	if IsArray(body) {
		return true
	}
	found := false
	// What cannot be read is none.
	_ = members(readable(body), func(name string, _ jsontext.Value) bool { found = name == "batch"; return !found })
	return found
}

// WriteKey returns the writeKey of a request's body, or "" and, where that is so because the body cannot be read, what is wrong with it.
// It reads the body only as far as necessary, so a body that is unreadable behind the key still has one; and so has one that is unreadable
// in front of it, where the key can be found for sure.
func WriteKey(body []byte) (string, *Problem) {
	if IsArray(body) {
		return "", nil
	}
	key := ""
	err := members(readable(body), func(name string, v jsontext.Value) bool {
		if name == "writeKey" {
			key, _ = text(v)
		}
		return name != "writeKey"
	})
	if err == nil {
		return key, nil
	}
	if key = keyInDamaged(body); key != "" {
		return key, nil
	}
	return "", jsonProblem(err)
}
