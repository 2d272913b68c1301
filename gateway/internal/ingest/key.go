package ingest

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

// pathKey is the name of the part of a path that holds a write key.
const pathKey = "writeKey"

// keyHeader holds the write key for senders that can set a header, but not encode one.
const keyHeader = "X-Write-Key"

// keyOutside returns the write key that the request carries outside its body, and whether it has a place for one there: then the body is
// not asked for another. The path goes before Basic auth, and that before the header.
func keyOutside(r *http.Request) (key string, ok bool) {
	if key = r.PathValue(pathKey); key != "" {
		return key, true
	}
	if key, ok = basicKey(r); ok {
		return key, true
	}
	key = r.Header.Get(keyHeader)
	return key, key != ""
}

// refuseKey answers a request whose key is no source's. Who has a secret for something else is told so.
func (d *Door) refuseKey(key string) answer {
	if kind, known := d.kinds().Find(key); known {
		return refusal(http.StatusForbidden, "permission", "the "+kind.String()+" does not send calls: send a source's write key")
	}
	return unknownKey()
}

// basicKey returns the write key that the request carries as the user name of basic auth, with or without the colon that should follow
// it, and whether it has basic auth at all. Other schemes are none of ours: senders that use them put the key into the body.
func basicKey(r *http.Request) (key string, ok bool) {
	scheme, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", false
	}
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(credentials))
	if err != nil {
		// Such a header holds no key, and the body is not asked for another one.
		return "", true
	}
	key, _, _ = strings.Cut(string(text), ":")
	return key, true
}

// admit finds the source of a key, or returns the answer to give when there is none.
func (d *Door) admit(v *visit, key string) (answer, bool) {
	var known bool
	if v.source, known = d.sources().Find(key); !known {
		return d.refuseKey(key), false
	}
	return answer{}, true
}

// admitByBody finds the source by the write key in the body, also in one that cannot be read, so that the rejection is counted for it. It
// returns the answer to give when there is none.
func (d *Door) admitByBody(v *visit, body []byte) (answer, bool) {
	key, problem := segment.WriteKey(body)
	if problem == nil {
		return d.admit(v, key)
	}
	var known bool
	if v.source, known = d.sources().Find(key); !known {
		// Nobody can be told to fix a key in a body that cannot be read.
		return refusal(http.StatusBadRequest, problem.Code, problem.Message), false
	}
	return answer{}, true // what is wrong with the body is found again, and counted for the source
}
