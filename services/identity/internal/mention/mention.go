// Package mention finds out which users something that could not be understood names.
//
// A rejected call need not be a call, nor JSON. So nothing is parsed: every text between two quotes is taken for a name, without the space
// around it, and so is every word, wherever it stands. JSON's escapes are undone first. That finds an id as a value, inside a path or a
// query string, and in JSON that is broken; whole texts are found besides, which is all that can be looked for without knowing the ids.
package mention

import (
	"bytes"
	"iter"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// separators divide words. The signs that ids are made of (@ . - _ + and letters of any script) are none.
const separators = " \t\r\n\"'`,:;{}[]()<>=&?/|\\#"

// Names returns the texts in body that may be the name of somebody. Some come more than once. A text longer than limit is none.
func Names(body []byte, limit int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for segment := range segments(body) {
			if name := strings.TrimSpace(segment); name != "" && len(name) <= limit && !yield(name) {
				return
			}
			if !words(segment, limit, yield) {
				return
			}
		}
	}
}

func words(segment string, limit int, yield func(string) bool) bool {
	for word := range strings.FieldsFuncSeq(segment, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
		if len(word) < len(segment) && len(word) <= limit && !yield(word) {
			return false
		}
	}
	return true
}

// segments returns what stands between one quote and the next, from the beginning to the end, with JSON's escapes undone. Which quotes
// open and which close does not matter: where one is missing, all that follow would be taken for the other.
func segments(body []byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		for start := 0; start <= len(body); {
			end := start + quote(body[start:])
			if !yield(Unescape(body[start:end])) {
				return
			}
			start = end + 1
		}
	}
}

// quote returns where the first quote stands that is not escaped, or the length of text.
func quote(text []byte) int {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			return i
		case '\\':
			i++
		}
	}
	return len(text)
}

// Whole returns body without the text at its end that a cut has left without a closing quote: half a name cannot be found again.
func Whole(body []byte) []byte {
	at, open := 0, 0
	for quoted := false; at < len(body); quoted = !quoted {
		next := at + quote(body[at:])
		if next == len(body) {
			if quoted {
				return body[:open]
			}
			return body[:at+bytes.LastIndexAny(body[at:], separators)+1]
		}
		open, at = next, next+1
	}
	return body
}

// Unescape undoes JSON's escapes, wherever they stand. What is no escape stays as it is.
func Unescape(text []byte) string {
	if bytes.IndexByte(text, '\\') < 0 {
		return string(text)
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		if text[i] != '\\' || i+1 == len(text) {
			out = append(out, text[i])
			i++
			continue
		}
		decoded, used := escape(text[i:])
		out, i = append(out, decoded...), i+used
	}
	return string(out)
}

// escape decodes the escape that text begins with.
func escape(text []byte) (decoded []byte, used int) {
	const letters, meant = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	if i := strings.IndexByte(letters, text[1]); i >= 0 {
		return []byte{meant[i]}, 2
	}
	r, ok := unit(text)
	if !ok {
		return text[:1], 1
	}
	if utf16.IsSurrogate(r) {
		if second, ok := unit(text[6:]); ok {
			if both := utf16.DecodeRune(r, second); both != utf8.RuneError {
				return utf8.AppendRune(nil, both), 12
			}
		}
	}
	return utf8.AppendRune(nil, r), 6
}

// unit reads \uXXXX at the beginning of text.
func unit(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(v), err == nil
}
