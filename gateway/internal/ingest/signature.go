package ingest

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Segment signs with HMAC-SHA1, which the weakness of SHA-1 does not touch
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

// signatureHeader holds the signature of a body, in hex.
const signatureHeader = "X-Signature"

// checkSignature returns the answer to a request of a source with shared secrets whose body none of them signed. The books do not show
// such a request: anybody may have sent it. A body with a problem may not be whole, so its signature cannot be checked: what is wrong with
// it is then the answer, and the books do not show that either, since v forgets the source.
func checkSignature(v *visit, body []byte, problem *segment.Problem) (answer, bool) {
	if v.source == nil || len(v.source.secrets) == 0 {
		return answer{}, true
	}
	if problem != nil {
		v.source = nil
		return answer{}, true
	}
	signature := strings.TrimSpace(v.r.Header.Get(signatureHeader))
	switch {
	case signature == "":
		return refusal(http.StatusForbidden, "signature_required",
			"this source takes signed requests only: set the shared secret of the webhook in Segment, or send x-signature"), false
	case !isSignedByAny(v.source.secrets, segment.Signed(body), signature):
		return refusal(http.StatusForbidden, "signature_invalid",
			"x-signature is not the HMAC-SHA1 of the body, in hex, by a shared secret of this source"), false
	}
	return answer{}, true
}

// isSignedByAny compares with all secrets, each in constant time.
func isSignedByAny(secrets []string, text []byte, signature string) bool {
	given, err := hex.DecodeString(signature)
	good := false
	for _, secret := range secrets {
		mac := hmac.New(sha1.New, []byte(secret))
		mac.Write(text)
		good = hmac.Equal(mac.Sum(nil), given) || good
	}
	return good && err == nil
}
