package query

import (
	"net/http"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/observe"
)

const (
	// allowedMethods and allowedHeaders are what a page may send: what clients of Connect and gRPC-Web do.
	allowedMethods = "GET, POST"
	allowedHeaders = "Authorization, Connect-Protocol-Version, Connect-Timeout-Ms, Content-Type, Grpc-Timeout, X-Grpc-Web, X-User-Agent, " +
		observe.RequestIDHeader
	// exposedHeaders are those of an answer that a page may read beside the ones that it always may.
	exposedHeaders = "Grpc-Message, Grpc-Status, Grpc-Status-Details-Bin, " + observe.RequestIDHeader
	// preflightSeconds is for how long a browser may remember the answer to a preflight.
	preflightSeconds = "7200"
)

// cors lets pages of other origins read answers.
type cors struct {
	readers *readers
	origins func() *origins
}

// origins are those that workspaces let read.
type origins struct {
	all map[string]bool
	of  map[string]map[string]bool // by workspace
}

func newCORS(from workspace.Provider, r *readers) cors {
	return cors{readers: r, origins: workspace.Follow(from, func(c *workspace.Config) *origins {
		o := &origins{all: map[string]bool{}, of: map[string]map[string]bool{}}
		for i := range c.Workspaces {
			own := map[string]bool{}
			for _, origin := range c.Workspaces[i].QueryOrigins {
				o.all[origin], own[origin] = true, true
			}
			o.of[c.Workspaces[i].ID] = own
		}
		return o
	})}
}

// share answers preflights, and lets a page read the answer to its query if the workspace of its token names the page's origin. An admin
// token has no workspace: no page may use it.
func (c cors) share(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Add("Vary", "Origin")
		if r.Method == http.MethodOptions {
			c.preflight(w, r)
			return
		}
		if r.Method == http.MethodGet {
			h.Set("Cache-Control", "no-store") // the next call changes the figures
		}
		if origin := r.Header.Get("Origin"); origin != "" && c.mayRead(origin, r.Header) {
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Expose-Headers", exposedHeaders)
		}
		next.ServeHTTP(w, r)
	})
}

func (c cors) mayRead(origin string, header http.Header) bool {
	who, known := c.readers.ring().Find(bearer(header))
	return known && !who.admin && c.origins().of[who.workspace][origin]
}

// preflight tells a browser what a page may send. It comes without a token, so it lets in every origin that any workspace names.
func (c cors) preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Allow", allowedMethods+", "+http.MethodOptions)
	if origin := r.Header.Get("Origin"); c.origins().all[origin] {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Methods", allowedMethods)
		h.Set("Access-Control-Allow-Headers", allowedHeaders)
		h.Set("Access-Control-Max-Age", preflightSeconds)
	}
	w.WriteHeader(http.StatusNoContent)
}
