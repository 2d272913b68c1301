package gateway

import (
	"errors"
	"net/url"
	"strings"
)

// PublicURL is a flag.Value for where clients reach the gateway: scheme and host, and a path if a proxy puts one in front.
type PublicURL struct{ *url.URL }

var errPublicURL = errors.New("not a URL such as https://calls.example.com")

// Set implements flag.Value.
func (p *PublicURL) Set(text string) error {
	if text == "" {
		p.URL = nil
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		// The parser's own text would quote what may hold a password.
		return errPublicURL
	}
	u.Path = strings.TrimRight(u.Path, "/")
	p.URL = u
	return nil
}

// String implements flag.Value.
func (p *PublicURL) String() string {
	if p.URL == nil {
		return ""
	}
	return p.URL.String()
}
