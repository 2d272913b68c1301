// Package terminal makes text that strangers wrote safe to print: it must not steer the terminal, hide what stands beside it, or show it in
// another order.
package terminal

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Steers says whether r would do more to a terminal than be seen: control characters (C0, DEL and C1), and what overrides, embeds or
// isolates the direction of text. Tabs and line feeds, which text may have, do not.
func Steers(r rune) bool {
	switch {
	case r == '\t' || r == '\n':
		return false
	case r < ' ' || r >= 0x7f && r <= 0x9f:
		return true
	default:
		return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
	}
}

// Escape writes the characters of text that steer as JSON does, \u001b, and what is not UTF-8 as the replacement character. A carriage
// return in front of a line feed ends a line and stays. In JSON such characters stand in strings alone, so an escaped line of JSON reads
// the same.
func Escape(text string) string {
	if !needsEscape(text) {
		return text
	}
	var out strings.Builder
	for i, r := range text {
		switch {
		case r == '\r' && strings.HasPrefix(text[i+1:], "\n"):
			out.WriteRune(r)
		case Steers(r):
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

func needsEscape(text string) bool {
	return strings.ContainsFunc(text, Steers) || !utf8.ValidString(text)
}

// JSON returns an encoder that writes lines of JSON in which nothing steers.
func JSON(out io.Writer) *json.Encoder {
	e := json.NewEncoder(escaping{out})
	e.SetEscapeHTML(false)
	return e
}

// escaping escapes what is written, of which every piece is whole text.
type escaping struct{ to io.Writer }

// Write implements io.Writer.
func (e escaping) Write(text []byte) (int, error) {
	if _, err := io.WriteString(e.to, Escape(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}
