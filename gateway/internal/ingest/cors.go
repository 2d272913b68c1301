package ingest

import (
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/sojournhq/sojourn/internal/kit/observe"
)

// allowedHeaders is what a script may send: what Segment's clients do, and what a door reads.
const allowedHeaders = "authorization, content-type, content-encoding, x-retry-count, x-write-key, x-signature, x-segment-settings"

// maxAskedHeaders is how much a preflight may ask for and have it granted by repeating it.
const maxAskedHeaders = 1024

// shareAnswer lets a script of any site read the answer. A site can do no harm with that: a browser adds nothing to a call that would let
// it in, the script must know the key.
func shareAnswer(h http.Header, r *http.Request) {
	origin := r.Header.Get("Origin")
	h.Add("Vary", "Origin")
	if origin == "" {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Set("Access-Control-Expose-Headers", "Retry-After, X-RateLimit-Reset, "+observe.RequestIDHeader)
}

// byMethod answers a preflight, which comes without a key, and hands a request with one of the methods on.
func byMethod(v *visit, methods []string, of func(*visit) answer) answer {
	switch {
	case v.r.Method == http.MethodOptions:
		return preflight(v.r, methods)
	case slices.Contains(methods, v.r.Method):
		return of(v)
	}
	a := refusal(http.StatusMethodNotAllowed, "method_not_allowed", "the method is not one of "+strings.Join(methods, ", "))
	a.header = http.Header{"Allow": {allow(methods)}}
	return a
}

func allow(methods []string) string {
	return strings.Join(append(slices.Clone(methods), http.MethodOptions), ", ")
}

// preflight tells a browser, or whoever else asks for the options of a path, what it may send there.
func preflight(r *http.Request, methods []string) answer {
	h := http.Header{"Allow": {allow(methods)}}
	if r.Header.Get("Origin") != "" {
		h.Set("Access-Control-Allow-Methods", allow(methods))
		h.Set("Access-Control-Allow-Headers", grantedHeaders(r))
		h.Set("Access-Control-Max-Age", "86400")
	}
	h["Vary"] = []string{"Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"}
	return answer{status: http.StatusNoContent, header: h}
}

// grantedHeaders returns what a preflight asks to send, because customers add headers of their own, and nothing that a door does not know
// counts there. What is no list of names is answered with the list of those known.
func grantedHeaders(r *http.Request) string {
	asked := strings.Join(r.Header.Values("Access-Control-Request-Headers"), ",")
	if asked == "" || len(asked) > maxAskedHeaders {
		return allowedHeaders
	}
	for name := range strings.SplitSeq(asked, ",") {
		if !httpguts.ValidHeaderFieldName(strings.TrimSpace(name)) {
			return allowedHeaders
		}
	}
	return asked
}
