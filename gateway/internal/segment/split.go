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

	context jsontext.Value
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

func (b *Batch) read(body []byte) *Problem {
	// A call nested too deeply must not keep the others from being found, so spans are found in what is readable for sure.
	readable, _ := shallow(body, maxDepth+2)
	var array span
	if IsArray(body) {
		array = span{0, len(body)}
	} else {
		var problem *Problem
		if array, problem = b.readEnvelope(readable, body); problem != nil {
			return problem
		}
	}
	err := elementSpans(array.of(readable), func(at span) {
		b.Calls = append(b.Calls, span{array.start + at.start, array.start + at.end}.of(body))
	})
	if err != nil {
		return jsonProblem(err)
	}
	return nil
}

// readEnvelope takes what the batch says for all calls and returns where the array of the calls stands.
func (b *Batch) readEnvelope(readable, body []byte) (span, *Problem) {
	found := map[string]span{}
	var twice *Problem
	err := memberSpans(readable, func(name string, at span) bool {
		switch name {
		case "batch", "sentAt", "context":
			if _, again := found[name]; again {
				twice = &Problem{"json_duplicate_key", name + " stands twice in the batch: send it once", name}
			}
			found[name] = at
		}
		return true
	})
	switch {
	case err != nil:
		return span{}, jsonProblem(err)
	case twice != nil:
		return span{}, twice
	case found["batch"].of(body).Kind() != jsontext.KindBeginArray:
		return span{}, &Problem{"empty_batch", "batch is required: an array of calls", "batch"}
	}
	b.SentAt, b.context = found["sentAt"].of(body), found["context"].of(body)
	return found["batch"], nil
}

// check looks at what the batch says for all of its calls as strictly as at a call.
func (b *Batch) check() *Problem {
	switch {
	case len(b.Calls) == 0:
		return &Problem{"empty_batch", "the batch holds no calls: send at least one", "batch"}
	case len(b.Calls) > callproto.MaxBatch:
		return &Problem{CodeBatchTooLong, fmt.Sprintf("the batch holds more than %d calls: split it", callproto.MaxBatch), "batch"}
	}
	for _, v := range []jsontext.Value{b.SentAt, b.context} {
		if len(v) == 0 {
			continue
		}
		if problem := checkStrict(v); problem != nil {
			return problem
		}
	}
	// Looked up here once, because the context may be long and the calls many.
	b.GroupID = member(b.context, "groupId")
	return nil
}

// IsArray reports whether body is a JSON array, if it is JSON.
func IsArray(body []byte) bool { return jsontext.Value(body).Kind() == jsontext.KindBeginArray }

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
