package workspace_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
)

func TestAnOriginIsWrittenAsBrowsersDo(t *testing.T) {
	for origin, good := range map[string]bool{
		"https://example.com": true, "http://localhost:3000": true, "https://a.example.com:8443": true, "http://[::1]:3000": true,
		"http://127.0.0.1": true, "https://xn--bcher-kva.example": true, "http://my_host": true,
		"https://example.com/": false, "https://example.com/a": false, "https://Example.com": false, "HTTPS://example.com": false,
		"https://example.com:443": false, "http://example.com:80": false, "https://example.com:": false, "example.com": false, "*": false,
		"https://*.example.com": false, "null": false, "": false, "https://": false, "https://u@example.com": false, "https://bücher.example": false,
		"https://example.com?a": false, "https://example.com#a": false, "ftp://example.com": false, "https://exam ple.com": false,
		"https://:8080": false,
	} {
		_, err := workspace.Parse([]byte(withOrigins(fmt.Sprintf("[%q]", origin))))
		if (err == nil) != good {
			t.Errorf("%q: %v", origin, err)
		}
		if err != nil && !strings.Contains(err.Error(), "workspaces[0].query_origins[0]: not an origin such as") {
			t.Errorf("%q: %v", origin, err)
		}
	}
}

// withOrigins returns a configuration with these origins.
func withOrigins(list string) string {
	return strings.Replace(good, "    tiers:", "    query_origins: "+list+"\n    tiers:", 1)
}

func TestAnOriginThatStandsTwiceIsAMistake(t *testing.T) {
	_, err := workspace.Parse([]byte(withOrigins("[https://a.example, https://a.example]")))
	if err == nil || !strings.Contains(err.Error(), "workspaces[0].query_origins[1]: stands twice") {
		t.Error(err)
	}
}
