package ingest

import (
	"net/http"

	"github.com/sojournhq/sojourn/internal/domain/call"
)

// route is one path and what its bodies hold.
type route struct {
	// pattern is the path as the mux reads it, and as logs and metrics show it: a key in a path is in neither.
	pattern string
	// callType is the type of its calls; 0: they say it themselves.
	callType call.Type
	form     form
}

// form is how the calls stand in a body.
type form int8

const (
	one      form = iota // one call
	batch                // a batch
	delivery             // one call or an array of calls, as Segment delivers them to a destination
)

// The methods that paths are asked with.
var (
	calling    = []string{http.MethodPost}
	delivering = []string{http.MethodPost, http.MethodPut, http.MethodPatch}
	reading    = []string{http.MethodGet, http.MethodHead}
	loading    = []string{http.MethodGet}
	anyMethod  = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
)

// prefixes are what clients put in front of a path: those whose users set a host without /v1 leave it out.
var prefixes = []string{"/v1", ""}

// callTypes are the types of calls by the names that paths have for them. The short ones are what browsers and telephones use.
var callTypes = map[string]call.Type{
	"track": call.Track, "identify": call.Identify, "group": call.Group,
	"page": call.Page, "screen": call.Screen, "alias": call.Alias, "delete": call.Delete,
	"t": call.Track, "i": call.Identify, "g": call.Group, "p": call.Page, "s": call.Screen, "a": call.Alias,
}

// routes returns where clients send calls.
func routes() []route {
	var all []route
	for _, prefix := range prefixes {
		for name, t := range callTypes {
			all = append(all, route{prefix + "/" + name, t, one})
		}
		for _, name := range []string{"batch", "b", "import", "beacon/v1/batch"} {
			all = append(all, route{prefix + "/" + name, 0, batch})
		}
		all = append(append(all, jitsuRoutes(prefix+"/api/s")...), jitsuRoutes(prefix+"/api/s/s2s")...)
	}
	return all
}

// jitsuRoutes returns where Jitsu's clients send calls: a type for each path, which of an event the call says itself. They send no deletes.
func jitsuRoutes(prefix string) []route {
	all := []route{{prefix + "/event", 0, one}, {prefix + "/e", 0, one}, {prefix + "/batch", 0, batch}}
	for name, t := range callTypes {
		if t != call.Delete {
			all = append(all, route{prefix + "/" + name, t, one})
		}
	}
	return all
}

// deliveries returns where Segment delivers calls to a destination.
func deliveries() []route {
	return []route{{"/v1/segment", 0, delivery}, {"/v1/segment/{" + pathKey + "}", 0, delivery}}
}

// Register adds the paths to mux, and an answer for every path that nobody else has.
func (d *Door) Register(mux *http.ServeMux) {
	for _, rt := range routes() {
		d.handle(mux, rt.pattern, calling, func(v *visit) answer { return d.take(v, &rt) })
	}
	for _, rt := range deliveries() {
		d.handle(mux, rt.pattern, delivering, func(v *visit) answer { return d.take(v, &rt) })
	}
	for _, prefix := range prefixes {
		for _, t := range imageTypes {
			d.handle(mux, prefix+"/pixel/"+t.String(), loading, func(v *visit) answer { return d.loadImage(v, t) })
		}
		d.handle(mux, prefix+"/m", calling, takeNothing)
		d.handle(mux, prefix+"/projects/{"+pathKey+"}/settings", reading, d.settings)
		d.handle(mux, prefix+"/sourceConfig", reading, d.sourceConfig)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { d.serve(w, r, "unknown", d.unknownPath) })
}

// unknownPath answers a path that nobody has. A browser is let through to that answer, or its page could not read what is wrong.
func (d *Door) unknownPath(v *visit) answer {
	if v.r.Method == http.MethodOptions && v.r.Header.Get("Access-Control-Request-Method") != "" {
		return preflight(v.r, anyMethod)
	}
	keys, _ := keysOutside(v.r)
	_, _ = d.admit(v, keys...) // so that it can be told whose mistake it is
	return refusal(http.StatusNotFound, "path_unknown", "there is nothing at this path: calls go to /v1/track, /v1/batch and the like")
}

// handle answers a path for these methods with what answer makes of a request, and all others with which they are.
func (d *Door) handle(mux *http.ServeMux, pattern string, methods []string, of func(*visit) answer) {
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		d.serve(w, r, pattern, func(v *visit) answer { return byMethod(v, methods, of) })
	})
}

// takeNothing answers clients that report how they themselves are doing, which nobody here asks: nothing of it is read or counted.
func takeNothing(*visit) answer { return answer{status: http.StatusOK, body: taken{Success: true}} }
