package ingest

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

// pathKey is the name of the part of a path that holds a write key.
const pathKey = "writeKey"

// keyHeader holds the write key for senders that can set a header, but not encode one.
const keyHeader = "X-Write-Key"

// keysOutside returns what may be the write key that the request carries outside its body, in the order in which it is looked up, and
// whether it has a place for one there: then the body is not asked for another. The path goes before Basic auth, that before the header,
// and that before the query.
func keysOutside(r *http.Request) (keys []string, ok bool) {
	if key := r.PathValue(pathKey); key != "" {
		return []string{key}, true
	}
	if keys, ok = basicKeys(r); ok {
		return keys, true
	}
	if key := r.Header.Get(keyHeader); key != "" {
		return []string{key}, true
	}
	if key := queryKey(r); key != "" {
		return []string{key}, true
	}
	return nil, false
}

// queryKey returns the write key in the query of a request, or "". Segment and RudderStack name it writeKey, Jitsu writekey.
func queryKey(r *http.Request) string {
	if r.URL.RawQuery == "" {
		return ""
	}
	query := r.URL.Query()
	return cmp.Or(query.Get("writeKey"), query.Get("writekey"))
}

// basicKeys returns what may be the write key in basic auth, and whether the request has basic auth at all. A key may hold a colon, as
// Jitsu's do, and clients add one behind the user name or forget it: what stands there is looked up whole, then without the colon at its
// end, then as the user name alone. Other schemes are none of ours: senders that use them put the key into the body.
func basicKeys(r *http.Request) (keys []string, ok bool) {
	scheme, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Basic") {
		return nil, false
	}
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(credentials))
	if err != nil {
		// Such a header holds no key, and the body is not asked for another one.
		return nil, true
	}
	whole := string(text)
	user, _, _ := strings.Cut(whole, ":")
	return []string{whole, strings.TrimSuffix(whole, ":"), user}, true
}

// refuseKey answers a request whose key is no source's. Who has a secret for something else is told so.
func (d *Door) refuseKey(keys []string) answer {
	for _, key := range keys {
		if kind, known := d.kinds().Find(key); known {
			return refusal(http.StatusForbidden, "permission", "the "+kind.String()+" does not send calls: send a source's write key")
		}
	}
	return unknownKey()
}

// admit finds the source of the first of these keys that is one, or returns the answer to give when none is.
func (d *Door) admit(v *visit, keys ...string) (answer, bool) {
	sources := d.sources()
	for _, key := range keys {
		var known bool
		if v.source, known = sources.Find(key); known {
			return answer{}, true
		}
	}
	return d.refuseKey(keys), false
}

// admitByBody finds the source by the write key in the body, also in one that cannot be read, so that the rejection is counted for it. It
// returns the answer to give when there is none.
func (d *Door) admitByBody(v *visit, body []byte) (answer, bool) {
	key, problem := segment.WriteKey(body)
	if problem != nil {
		// Nobody can be told to fix a key in a body that cannot be read.
		return refusal(http.StatusBadRequest, problem.Code, problem.Message), false
	}
	return d.admit(v, key)
}
