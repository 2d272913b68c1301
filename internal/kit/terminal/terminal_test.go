package terminal_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/terminal"
)

func TestWhatSteersATerminalIsEscapedAndNothingElse(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                          "plain",
		"tab\tand\nline\r\n":             "tab\tand\nline\r\n",
		"over\rwritten":                  `over\u000dwritten`,
		"\x1b[31mred\x1b[0m":             `\u001b[31mred\u001b[0m`,
		"\x00\a\b\v\f\x7f":               `\u0000\u0007\u0008\u000b\u000c\u007f`,
		"\u0080\u009b31m\u009f":          `\u0080\u009b31m\u009f`,
		"\u202a\u202b\u202c\u202d\u202e": `\u202a\u202b\u202c\u202d\u202e`,
		"\u2066\u2067\u2068\u2069":       `\u2066\u2067\u2068\u2069`,
		"שלום, مرحبا, 👩‍👩‍👧, naïve\u00a0": "שלום, مرحبا, 👩‍👩‍👧, naïve\u00a0",
		"raw C1 \x9b31m": "raw C1 \uFFFD31m",
	} {
		if got := terminal.Escape(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func FuzzJSONStaysTheSameJSON(f *testing.F) {
	f.Add("a\x1b\x7f\u009b\u202e\u2066\r\n\"\\")
	f.Fuzz(func(t *testing.T, text string) {
		line, err := json.Marshal(map[string]string{text: text})
		if err != nil {
			t.Fatal(err)
		}
		var want, got map[string]string
		escaped := terminal.Escape(string(line))
		if json.Unmarshal(line, &want) != nil || json.Unmarshal([]byte(escaped), &got) != nil || len(got) != 1 {
			t.Fatalf("%q is no JSON any more: %q", line, escaped)
		}
		for key, value := range want {
			if got[key] != value {
				t.Errorf("%q became %q", line, escaped)
			}
		}
		if strings.ContainsFunc(escaped, terminal.Steers) {
			t.Errorf("%q still steers", escaped)
		}
	})
}
