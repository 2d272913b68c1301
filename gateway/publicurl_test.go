package gateway_test

import (
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/gateway"
)

func TestAPublicURLIsASchemeAndAHostAndPerhapsAPath(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "",
		"https://calls.example.com":     "https://calls.example.com",
		"https://calls.example.com/":    "https://calls.example.com",
		"http://127.0.0.1:8080/in/":     "http://127.0.0.1:8080/in",
		"calls.example.com":             "error",
		"ftp://calls.example.com":       "error",
		"https://":                      "error",
		"https://me:secret@example.com": "error",
		"https://example.com?a=secret":  "error",
		"https://example.com#secret":    "error",
		"https://exa mple.com/secret":   "error",
	} {
		var p gateway.PublicURL
		err := p.Set(text)
		if want == "error" {
			if err == nil || strings.Contains(err.Error(), "secret") {
				t.Errorf("%q: %v", text, err)
			}
			continue
		}
		if err != nil || p.String() != want {
			t.Errorf("%q: %q, %v", text, p.String(), err)
		}
	}
}
