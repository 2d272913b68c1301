package ingest_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

const secret, newSecret = "shared-secret-0000", "shared-secret-1111"

// sign signs as Segment does.
func sign(secret, text string) string {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// openSigned opens a door whose first source has two shared secrets.
func openSigned(t *testing.T) gate {
	t.Helper()
	g := open(t)
	next := workspaces()
	next.Workspaces[0].Sources[0].SharedSecrets = []string{secret, newSecret}
	g.workspaces.Store(next)
	return g
}

func TestASourceWithSharedSecretsTakesWhatOneOfThemSigned(t *testing.T) {
	// Bytes that another encoder would write differently: the signature is over what was sent.
	call := `{ "x":"<&>\u00fc/","z":1.0,` + trackCall("m", "")[1:]
	other := trackCall("m2", "")
	for name, c := range map[string]struct {
		path, body, signature string
		status                int
		answer                string
	}{
		"signed":                {"/v1/segment", call, sign(secret, call), 200, `{'success':true}`},
		"by the other secret":   {"/v1/segment", call, sign(newSecret, call), 200, `{'success':true}`},
		"at the client door":    {"/v1/track", call, sign(secret, call), 200, `{'success':true}`},
		"in capitals":           {"/v1/segment", call, strings.ToUpper(sign(secret, call)), 200, `{'success':true}`},
		"not signed":            {"/v1/segment", call, "", 403, `'code':'signature_required'`},
		"not signed, client":    {"/v1/track", call, "", 403, `'code':'signature_required'`},
		"not signed, batch":     {"/v1/batch", `{"batch":[` + call + `]}`, "", 403, `'code':'signature_required'`},
		"by another secret":     {"/v1/segment", call, sign("another-secret-000", call), 403, `'code':'signature_invalid'`},
		"of another body":       {"/v1/segment", call, sign(secret, other), 403, `'code':'signature_invalid'`},
		"of the body re-spaced": {"/v1/segment", call + " ", sign(secret, call), 403, `'code':'signature_invalid'`},
		"no hex":                {"/v1/segment", call, "xyz", 403, `'code':'signature_invalid'`},
		"more behind":           {"/v1/segment", call, sign(secret, call) + "zz", 403, `'code':'signature_invalid'`},
		"cut":                   {"/v1/segment", call, sign(secret, call)[:38], 403, `'code':'signature_invalid'`},
		"array, first element":  {"/v1/segment", " [ " + call + " , " + other + "]", sign(secret, call), 200, `'accepted':2`},
		"array, second element": {"/v1/segment", "[" + call + "," + other + "]", sign(secret, other), 403, `'code':'signature_invalid'`},
		"array, whole":          {"/v1/segment", "[" + call + "," + other + "]", sign(secret, "["+call+","+other+"]"), 403, `'code':'signature_invalid'`},
		"array, empty":          {"/v1/segment", "[]", sign(secret, "[]"), 400, `'code':'empty_batch'`},
		"array, not whole":      {"/v1/segment", "[" + call[:20], sign(secret, "["+call[:20]), 400, `'code':'json_invalid'`},
		"batch":                 {"/v1/batch", `{"batch":[` + call + `]}`, sign(secret, `{"batch":[`+call+`]}`), 200, `'accepted':1`},
		"too large":             {"/v1/track", strings.Repeat("x", 2001), "", 413, `'code':'body_too_large'`},
	} {
		t.Run(name, func(t *testing.T) {
			g := openSigned(t)
			headers := []string{"X-Write-Key", webKey}
			if c.signature != "" {
				headers = append(headers, "X-Signature", c.signature)
			}
			check(t, g.send(c.path, c.body, headers...), c.status, c.answer)
			if n := len(g.Identity.Requests()); (n == 1) != (c.status == 200 || c.status == 400) {
				t.Errorf("counted %d times", n)
			}
		})
	}
}

func TestASignatureIsOverTheDecompressedBody(t *testing.T) {
	g := openSigned(t)
	call := trackCall("m", "")
	check(t, g.send("/v1/segment", zipped(t, call), "Content-Encoding", "gzip", "X-Write-Key", webKey, "X-Signature", sign(secret, call)),
		200, `{'success':true}`)
}

func TestAKeyInTheBodyOfASignedSourceStillNeedsTheSignature(t *testing.T) {
	g := openSigned(t)
	call := trackCall("m", `"writeKey":"`+webKey+`",`)
	check(t, g.send("/v1/track", call), 403, `'code':'signature_required'`)
	check(t, g.send("/v1/track", call, "X-Signature", sign(secret, call)), 200, `{'success':true}`)
	g.do(httptest.NewRequest(http.MethodGet, "/v1/pixel/page?userId=u&anonymousId=a&writeKey="+webKey, nil))
	if n := len(g.Identity.Calls()); n != 1 {
		t.Errorf("%d calls taken, want the signed one", n)
	}
}

func TestRequestsThatAreNotSignedAreCountedInTheMetricsOnly(t *testing.T) {
	g := openSigned(t)
	check(t, g.send("/v1/segment", trackCall("m", ""), "X-Write-Key", webKey), 403, `'code':'signature_required'`)
	if err := testutil.GatherAndCompare(g.metrics, strings.NewReader(`
# HELP sojourn_gateway_requests_total Requests for calls, by route and HTTP status.
# TYPE sojourn_gateway_requests_total counter
sojourn_gateway_requests_total{code="403",route="/v1/segment"} 1
`), "sojourn_gateway_calls_total", "sojourn_gateway_requests_total"); err != nil {
		t.Error(err)
	}
}

func TestASourceWithoutSharedSecretsNeedsNoSignature(t *testing.T) {
	g := openSigned(t)
	check(t, g.send("/v1/track", trackCall("m", ""), "X-Write-Key", otherKey), 200, `{'success':true}`)
	check(t, g.send("/v1/track", trackCall("m", ""), "X-Write-Key", otherKey, "X-Signature", "whatever"), 200, `{'success':true}`)
}
