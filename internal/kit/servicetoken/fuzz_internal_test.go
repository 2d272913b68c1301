package servicetoken

import (
	"crypto/sha256"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// FuzzParse reads any text as a file of tokens: a token is a line of it, the first is what is sent, and an error shows none.
func FuzzParse(f *testing.F) {
	f.Add("")
	f.Add("# a comment\n\n 0123456789abcdef\r\nfedcba9876543210")
	f.Add("short")
	f.Add("0123456789 abcdef")
	shown := regexp.MustCompile(`^tokens: (line \d+ is shorter than 16 characters|line \d+ holds a space or a character beyond ASCII|holds no token)$`)
	f.Fuzz(func(t *testing.T, text string) {
		l, err := parse("tokens", text)
		if err != nil {
			if !shown.MatchString(err.Error()) {
				t.Errorf("the error is %q", err)
			}
			return
		}
		if len(l.first) < minBytes || l.hashes[0] != sha256.Sum256([]byte(l.first)) {
			t.Errorf("the first is %q", l.first)
		}
		var lines [][sha256.Size]byte
		for line := range strings.Lines(text) {
			lines = append(lines, sha256.Sum256([]byte(strings.TrimSpace(line))))
		}
		for _, hash := range l.hashes {
			if !slices.Contains(lines, hash) {
				t.Error("a token is no line of the file")
			}
		}
	})
}
