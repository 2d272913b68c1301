package workspace

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// origins checks that each text is an origin as a browser sends it: any other text would never be met, and let nobody in.
func (p *problems) origins(where string, origins []string) {
	for i, origin := range origins {
		at := fmt.Sprintf("%s[%d]", where, i)
		switch {
		case !isOrigin(origin):
			p.add("%s: not an origin such as https://example.com or http://localhost:3000, in lower case, with nothing behind it", at)
		case slices.Contains(origins[:i], origin):
			p.add("%s: stands twice", at)
		}
	}
}

// isOrigin says whether text is an origin of HTTP or HTTPS in the form in which browsers send it, without the port that its scheme has.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || strings.ContainsFunc(text, isNotOfOrigins) {
		return false
	}
	switch u.Scheme + ":" + u.Port() {
	case "http:80", "https:443":
		return false
	}
	return (u.Scheme == "http" || u.Scheme == "https") && text == u.Scheme+"://"+u.Host && !strings.HasSuffix(u.Host, ":")
}

// isNotOfOrigins says whether a character is in no origin: browsers write hosts in lower case, and those of other scripts in ASCII.
func isNotOfOrigins(r rune) bool { return r <= ' ' || r > '~' || r == '*' || r >= 'A' && r <= 'Z' }
