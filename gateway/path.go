package gateway

import (
	"net/http"
	"path"
	"strings"
)

// tidyPath hands requests on whose path has a slash too many, as clients make them of a host that was set with one at its end, under the
// path that was meant. The mux would send a redirect, which a browser does not follow in a preflight and few clients follow with a body.
func tidyPath(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := r.URL.Path
		if r.URL.RawPath == "" && len(p) > 1 && (strings.Contains(p, "//") || strings.HasSuffix(p, "/")) {
			tidy := *r
			u := *r.URL
			u.Path = path.Clean(p)
			tidy.URL = &u
			r = &tidy
		}
		next.ServeHTTP(w, r)
	})
}
