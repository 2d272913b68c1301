package gateway

import (
	"net/http"
	"net/url"
	"path"
	"strings"
)

// tidyPath hands requests on whose path has a slash too many, or /v1 twice, as clients make them of a host that was set with one at its
// end, under the path that was meant. The mux would send a redirect, which a browser does not follow in a preflight and few clients follow
// with a body.
func tidyPath(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := r.URL.EscapedPath()
		if tidied := tidy(p); tidied != p {
			changed, u := *r, *r.URL
			if text, err := url.PathUnescape(tidied); err == nil {
				u.Path, u.RawPath = text, tidied
			}
			changed.URL = &u
			r = &changed
		}
		next.ServeHTTP(w, r)
	})
}

// tidy returns an escaped path as it was meant.
func tidy(p string) string {
	if strings.Contains(p, "//") || len(p) > 1 && strings.HasSuffix(p, "/") {
		p = path.Clean(p)
	}
	for strings.HasPrefix(p, "/v1/v1/") {
		p = p[len("/v1"):]
	}
	return p
}
