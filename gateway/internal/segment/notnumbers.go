package segment

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// Python's json, and others that follow it, write NaN, Infinity and -Infinity, which JSON does not have. They are read as null: one number
// that is none must not cost the call, nor the batch in which it stands.

// CodeNotNumber is the code of the warning that NaN or Infinity was read as null.
const CodeNotNumber = "number_not_json"

//nolint:gochecknoglobals // nothing changes them
var notNumberWords = [...][]byte{[]byte("NaN"), []byte("Infinity"), []byte("-Infinity")}

// notNumbers returns where those words stand for values, in order. Those within strings are text.
func notNumbers(text []byte) (found []span) {
	if !bytes.Contains(text, notNumberWords[0]) && !bytes.Contains(text, notNumberWords[1]) {
		return nil
	}
	before := byte(0) // the last one that is no space
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case isSpace(c):
			continue
		case c == '"':
			i = endOfString(text, i)
		case before == ':' || before == ',' || before == '[' || before == 0:
			if n := notNumber(text[i:]); n > 0 {
				found = append(found, span{i, i + n})
				i += n - 1
			}
		}
		before = text[min(i, len(text)-1)]
	}
	return found
}

// notNumber returns how long the word is that text begins with, if it ends as values do; 0: there is none.
func notNumber(text []byte) int {
	for _, word := range notNumberWords {
		rest, begins := bytes.CutPrefix(text, word)
		if !begins {
			continue
		}
		behind := bytes.TrimLeft(rest, " \n\r\t")
		if len(behind) == 0 || bytes.IndexByte([]byte(",]}"), behind[0]) >= 0 {
			return len(word)
		}
	}
	return 0
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// endOfString returns where the string ends that begins at i: at its quote, or behind the text.
func endOfString(text []byte, i int) int {
	for i++; i < len(text) && text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return i
}

// numbered returns text with numbers in those places, each as long as what it stands for, so that everything stands where it stood.
func numbered(text []byte, places []span) []byte {
	if len(places) == 0 {
		return text
	}
	text = bytes.Clone(text)
	for _, at := range places {
		for i := at.start; i < at.end; i++ {
			text[i] = '1'
		}
	}
	return text
}

// nulled returns text with null in those places.
func nulled(text []byte, places []span) []byte {
	if len(places) == 0 {
		return text
	}
	out := make([]byte, 0, len(text)+len(places))
	from := 0
	for _, at := range places {
		out = append(append(out, text[from:at.start]...), "null"...)
		from = at.end
	}
	return append(out, text[from:]...)
}

// nullNotNumbers lets the parser read null where its call has what is no number, and says whether there is any. A call that cannot be read
// all the same stays as it is.
func (p *parser) nullNotNumbers() bool {
	places := notNumbers(p.raw)
	if len(places) == 0 {
		return false
	}
	text := nulled(p.raw, places)
	if !jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
		return false
	}
	p.raw = text
	p.warnings = append(p.warnings, notNumberIn(memberAt(text, places[0].start)))
	return true
}

// notNumberIn returns the warning that a member holds what was read as null; "": the call does, or one of the customer's own members.
func notNumberIn(member string) Problem {
	where := member
	if where == "" {
		where = "the call"
	}
	return Problem{CodeNotNumber, where + " holds NaN or Infinity, which is no JSON and was read as null: send null or a number", member}
}

// memberAt returns the member of a call in which something stands, if it is one of Segment's own.
func memberAt(call []byte, offset int) (member string) {
	d := decoder(call, true)
	// What is read here was read before, so it is readable as far as it is an object.
	_ = memberSpans(d, func(name string) error {
		at, err := readSpan(d)
		if err == nil && at.end > offset {
			if new(envelope).field(name) != nil {
				member = name
			}
			return errEnough
		}
		return err
	})
	return member
}

// readable returns a body of which as much can be read as possible: without what is nested too deeply for any call, and with numbers in the
// place of what is none. All else stands where it stood.
func readable(body []byte) []byte {
	text, _ := shallow(numbered(body, notNumbers(body)), maxDepth+2)
	return text
}
