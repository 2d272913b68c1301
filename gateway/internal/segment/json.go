package segment

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth is how deep objects and arrays of a call may be nested.
const maxDepth = 64

var (
	errNotObject = errors.New("not an object")
	errTrailing  = errors.New("more than one value")
	errEnough    = errors.New("no more is wanted")
)

// decoder reads raw: strictly, or tolerating duplicate names and invalid text.
func decoder(raw []byte, lenient bool) *jsontext.Decoder { return new(reader).open(raw, lenient) }

// reader reads one piece of JSON after the other with one decoder, which spares a new one for each.
type reader struct {
	decoder jsontext.Decoder
	buffer  bytes.Buffer
}

// open begins to read raw, and ends what was read before.
func (r *reader) open(raw []byte, lenient bool) *jsontext.Decoder {
	r.buffer = *bytes.NewBuffer(raw)
	r.decoder.Reset(&r.buffer, jsontext.AllowDuplicateNames(lenient), jsontext.AllowInvalidUTF8(lenient))
	return &r.decoder
}

// lookup returns the value that the keys lead to, from one object into the next; nothing where there is none. It reads what checkStrict
// has looked at before, and no more of it than is needed.
func (r *reader) lookup(v jsontext.Value, keys []string) jsontext.Value {
	for _, key := range keys {
		if v.Kind() != jsontext.KindBeginObject {
			return nil
		}
		v = r.member(v, key)
	}
	return v
}

func (r *reader) member(object jsontext.Value, key string) jsontext.Value {
	d := r.open(object, true)
	_, err := d.ReadToken()
	for err == nil && d.PeekKind() == jsontext.KindString {
		var name jsontext.Value
		if name, err = d.ReadValue(); err != nil {
			break
		}
		found := isText(name, key)
		if !found {
			err = d.SkipValue()
			continue
		}
		at, failed := readSpan(d)
		if failed != nil {
			break
		}
		return at.of(object)
	}
	return nil
}

// isText says whether a JSON string has that text.
func isText(quoted jsontext.Value, want string) bool {
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner) == want
	}
	got, ok := text(quoted)
	return ok && got == want
}

// members calls visit with each member of the object in raw, in order, until visit returns false. Values are parts of raw. It tolerates
// duplicate names and invalid text: checkStrict has looked at a call before.
func members(raw []byte, visit func(name string, value jsontext.Value) bool) error {
	d := decoder(raw, true)
	err := memberSpans(d, func(name string) error {
		at, err := readSpan(d)
		if err == nil && !visit(name, at.of(raw)) {
			return errEnough
		}
		return err
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// span is where a value stands.
type span struct{ start, end int }

func (s span) of(raw []byte) jsontext.Value { return raw[s.start:s.end] }

// memberSpans reads the one object that d is to read, and calls visit behind the name of each member, to read its value.
func memberSpans(d *jsontext.Decoder, visit func(name string) error) error {
	open, err := d.ReadToken()
	if err != nil {
		return err
	}
	if open.Kind() != jsontext.KindBeginObject {
		return errNotObject
	}
	for d.PeekKind() != jsontext.KindEndObject {
		token, err := d.ReadToken()
		if err != nil {
			return err
		}
		if err := visit(token.String()); err != nil {
			return err
		}
	}
	return readEnd(d)
}

// elementSpans reads the array that comes next, and calls visit with where each element stands.
func elementSpans(d *jsontext.Decoder, visit func(at span)) error {
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != jsontext.KindEndArray {
		at, err := readSpan(d)
		if err != nil {
			return err
		}
		visit(at)
	}
	_, err := d.ReadToken()
	return err
}

// readSpan reads the next value and returns where it stands: the value itself is only lent by the decoder.
func readSpan(d *jsontext.Decoder) (span, error) {
	value, err := d.ReadValue()
	if err != nil {
		return span{}, err
	}
	end := int(d.InputOffset())
	return span{end - len(value), end}, nil
}

// readEnd reads the closing bracket and makes sure that nothing follows.
func readEnd(d *jsontext.Decoder) error {
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	return readNothing(d)
}

// readNothing makes sure that nothing follows.
func readNothing(d *jsontext.Decoder) error {
	switch _, err := d.ReadToken(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	return errTrailing
}

// checkStrict returns what is wrong with raw as one JSON value, at any depth, or nil.
func checkStrict(raw []byte) *Problem {
	if deeperThan(maxDepth, raw) {
		return &Problem{"json_too_deep", fmt.Sprintf("the JSON is nested deeper than %d levels", maxDepth), ""}
	}
	_, err := decoder(raw, false).ReadValue()
	if err == nil {
		return nil
	}
	if _, lenient := decoder(raw, true).ReadValue(); lenient == nil && !errors.Is(err, jsontext.ErrDuplicateName) {
		return &Problem{"json_invalid_utf8", "the JSON holds invalid UTF-8 or half a surrogate pair: encode text as UTF-8", ""}
	}
	return jsonProblem(err)
}

// jsonProblem says what to fix about JSON that could not be read. The decoder's own text would quote names out of the call.
func jsonProblem(err error) *Problem {
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, errNotObject):
		return &Problem{"call_not_object", "the call is not a JSON object", ""}
	case errors.Is(err, jsontext.ErrDuplicateName):
		return duplicateKey(err)
	case !errors.As(err, &syntax):
		return &Problem{"json_invalid", "the JSON is empty, cut off or followed by something else", ""}
	}
	return &Problem{"json_invalid", fmt.Sprintf("the JSON cannot be read at byte %d", syntax.ByteOffset), ""}
}

// duplicateKey names the key that stands twice if it is one of Segment's own: any other is the customer's.
func duplicateKey(err error) *Problem {
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) && syntax.JSONPointer.Parent() == "" {
		if name := syntax.JSONPointer.LastToken(); new(envelope).field(name) != nil {
			return &Problem{"json_duplicate_key", name + " stands twice: send it once", name}
		}
	}
	return &Problem{"json_duplicate_key", "a key stands twice in one object: send each key once", ""}
}

// deeperThan says whether objects and arrays in raw are nested deeper than that.
func deeperThan(depth int, raw []byte) bool {
	if bytes.Count(raw, []byte{'{'})+bytes.Count(raw, []byte{'['}) <= depth {
		return false
	}
	_, deep := shallow(raw, depth)
	return deep
}

// shallow returns body with every object and array below the given depth replaced by a 0 and spaces, so that what is above can be read
// whatever is below, and all else stands where it stood. Where nothing is that deep, it returns body itself and false.
func shallow(body []byte, depth int) (out []byte, deep bool) {
	out = body
	level, quoted, escaped := 0, false, false
	for i, c := range body {
		before := level
		switch {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			level++
		case c == '}' || c == ']':
			level--
		}
		if max(before, level) <= depth {
			continue
		}
		if !deep {
			out, deep = bytes.Clone(body), true
		}
		out[i] = ' '
		if before == depth {
			out[i] = '0'
		}
	}
	return out, deep
}
