package segment

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sojournhq/sojourn/internal/domain/callproto"
)

// Batch is a batch of calls, each still JSON and not looked at.
type Batch struct {
	Envelope

	// Calls are parts of the body, in order.
	Calls []jsontext.Value
}

// CodeBatchTooLong is the code of a batch of more calls than one request may hold.
const CodeBatchTooLong = "batch_too_long"

// Split finds the calls of a batch: the elements of the array "batch" of an object, or of an array that is the whole body. Whatever is
// wrong inside a call is left for Parse to find, so it costs that call only; what is wrong with the batch itself costs all of them.
func Split(body []byte) (Batch, *Rejection) {
	var b Batch
	problem := b.read(body)
	if problem == nil {
		problem = b.check()
	}
	if problem != nil {
		return Batch{}, &Rejection{Problem: *problem, Fingerprint: FingerprintOf(body), Raw: body}
	}
	return b, nil
}

// read finds the calls, and what the batch says for all of them.
func (b *Batch) read(body []byte) *Problem {
	// A call nested too deeply must not keep the others from being found, so spans are found in what is readable for sure.
	readable, _ := shallow(body, maxDepth+2)
	d := decoder(readable, true)
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
		case "batch", "sentAt", "context":
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
	for _, v := range []jsontext.Value{b.SentAt, b.Context} {
		if len(v) == 0 {
			continue
		}
		if problem := checkStrict(v); problem != nil {
			return problem
		}
	}
	b.Envelope = b.indexed()
	return nil
}

// IsArray reports whether body is a JSON array, if it is JSON.
func IsArray(body []byte) bool { return jsontext.Value(body).Kind() == jsontext.KindBeginArray }

// IsBatch reports whether body is an array, or an object with a batch.
func IsBatch(body []byte) bool {
	if IsArray(body) {
		return true
	}
	readable, _ := shallow(body, maxDepth+2)
	found := false
	// What cannot be read is none.
	_ = members(readable, func(name string, _ jsontext.Value) bool { found = name == "batch"; return !found })
	return found
}

// WriteKey returns the writeKey of a request's body, or "" and, where that is so because the body cannot be read, what is wrong with it.
// It reads the body only as far as necessary, so a body that is unreadable behind the key still has one.
func WriteKey(body []byte) (string, *Problem) {
	if IsArray(body) {
		return "", nil
	}
	readable, _ := shallow(body, maxDepth+2)
	key := ""
	err := members(readable, func(name string, v jsontext.Value) bool {
		if name == "writeKey" {
			key, _ = text(v)
		}
		return name != "writeKey"
	})
	if err != nil {
		return "", jsonProblem(err)
	}
	return key, nil
}
