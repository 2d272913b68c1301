package ingest

import (
	"encoding/base64"
	"net/http"
	"strings"
)

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
