package ingest_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
)

// zipped returns text in gzip.
func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// send posts body with these headers and no others.
func (g gate) send(path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return g.do(r)
}

func TestACompressedBodyIsReadAsWhatItHolds(t *testing.T) {
	body := `{"batch":[` + trackCall("m", "") + `],"writeKey":"` + webKey + `"}`
	for _, encoding := range []string{"gzip", "GZIP", "x-gzip"} {
		g := open(t)
		check(t, g.send("/b", zipped(t, body), "Content-Encoding", encoding, "Content-Type", "text/plain"), 200,
			`{'success':true,'accepted':1,'rejected':[]}`)
		if n := len(g.Events.Calls()); n != 1 {
			t.Errorf("%s: %d calls forwarded", encoding, n)
		}
	}
	for _, path := range []string{"/b", "/v1/batch", "/v1/import", "/v1/segment/" + webKey, "/beacon/v1/batch?writeKey=" + webKey} {
		of := body
		if strings.Contains(path, "segment") {
			of = "[" + trackCall("m", "") + "]"
		}
		check(t, open(t).send(path, zipped(t, of)), 200, `{'success':true,'accepted':1,'rejected':[]}`) // it does not say so
		check(t, open(t).send(path, zipped(t, of), "Content-Encoding", "identity"), 200, `'accepted':1`)
	}
	check(t, open(t).send("/b", body, "Content-Encoding", "identity"), 200, `{'success':true,'accepted':1,'rejected':[]}`)
	// Two members after another are one text.
	check(t, open(t).send("/b", zipped(t, body[:50])+zipped(t, body[50:]), "Content-Encoding", "gzip"), 200, `'accepted':1`)
}

func TestABodyThatCannotBeDecodedIsRefusedAndCountedForItsKey(t *testing.T) {
	whole := zipped(t, trackCall("m", ""))
	crc := []byte(whole)
	crc[len(crc)-8] ^= 1
	for name, c := range map[string]struct {
		body, header, value string
		status              int
		code                string
	}{
		"truncated":             {whole[:len(whole)-12], "Content-Encoding", "gzip", 400, "gzip_invalid"},
		"wrong checksum":        {string(crc), "Content-Encoding", "gzip", 400, "gzip_invalid"},
		"something behind":      {whole + "x", "Content-Encoding", "gzip", 400, "gzip_invalid"},
		"no gzip":               {trackCall("m", ""), "Content-Encoding", "gzip", 400, "gzip_invalid"},
		"nothing":               {"", "Content-Encoding", "gzip", 400, "gzip_invalid"},
		"a bomb":                {zipped(t, strings.Repeat("x", 100<<20)), "Content-Encoding", "gzip", 413, "body_too_large"},
		"a byte over":           {zipped(t, strings.Repeat("x", 2001)), "Content-Encoding", "gzip", 413, "body_too_large"},
		"twice":                 {zipped(t, whole), "Content-Encoding", "gzip, gzip", 415, "encoding_unsupported"},
		"br":                    {whole, "Content-Encoding", "br", 415, "encoding_unsupported"},
		"deflate":               {whole, "Content-Encoding", "deflate", 415, "encoding_unsupported"},
		"another charset":       {trackCall("m", ""), "Content-Type", "application/json; charset=ISO-8859-1", 415, "charset_unsupported"},
		"UTF-16":                {trackCall("m", ""), "Content-Type", `text/plain;charset="utf-16"`, 415, "charset_unsupported"},
		"not said, truncated":   {whole[:len(whole)-12], "Content-Type", "application/json", 400, "gzip_invalid"},
		"not said, two bytes":   {whole[:2], "Content-Type", "application/json", 400, "gzip_invalid"},
		"not said, one byte":    {whole[:1], "Content-Type", "application/json", 400, "json_invalid"},
		"not said, a bomb":      {zipped(t, strings.Repeat("x", 100<<20)), "Content-Encoding", "identity", 413, "body_too_large"},
		"not said, a byte over": {zipped(t, strings.Repeat("x", 2001)), "Content-Type", "application/json", 413, "body_too_large"},
		"said once, twice":      {zipped(t, whole), "Content-Encoding", "gzip", 400, "json_invalid"},
		"not said, twice":       {zipped(t, whole), "Content-Type", "application/json", 400, "json_invalid"},
		"not said, UTF-16":      {whole, "Content-Type", `text/plain;charset="utf-16"`, 415, "charset_unsupported"},
		"not said, br":          {whole, "Content-Encoding", "br, gzip", 415, "encoding_unsupported"},
	} {
		t.Run(name, func(t *testing.T) {
			g := open(t)
			w := g.send("/v1/track", c.body, c.header, c.value, "X-Write-Key", webKey)
			check(t, w, c.status, `'code':'`+c.code+`'}`)
			if got := w.Header().Get("Accept-Encoding"); (got == "gzip, identity") != (c.code == "encoding_unsupported") {
				t.Errorf("Accept-Encoding %q", got)
			}
			if n := len(g.Identity.Calls()); n != 0 {
				t.Errorf("%d calls taken", n)
			}
			if n := len(g.Identity.Requests()); n != 1 {
				t.Fatalf("counted %d times", n)
			}
			got := g.Identity.Requests()[0].(*identityv1.RecordCallsRequest).GetRejections()
			if len(got) != 1 || got[0].GetCode() != c.code || got[0].GetType() != "track" {
				t.Errorf("counted as %v", got)
			}
			// What cannot be read is not kept: nobody could find in it whoever is to be deleted.
			readable := map[string]bool{
				"truncated": true, "wrong checksum": true, "something behind": true, "no gzip": true, "a byte over": true,
				"not said, truncated": true, "not said, a byte over": true, "not said, one byte": true,
			}
			if kept := len(got[0].GetBody()) > 0; kept != readable[name] || got[0].GetBodyBytes() == 0 && name != "nothing" {
				t.Errorf("kept %d bytes of %d", len(got[0].GetBody()), got[0].GetBodyBytes())
			}
		})
	}
}

func TestTheKeyOfABodyThatEndsEarlyIsReadFromWhatIsThere(t *testing.T) {
	g := open(t)
	// Not compressible, so that the beginning is decoded before the end is missed.
	body := `{"writeKey":"` + webKey + `","x":"` + strings.Repeat("abcdefghijklmnopqrstuvwxyz0123456789", 20) + `"}`
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.NoCompression)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(w, body)
	_ = w.Close()
	check(t, g.send("/v1/track", b.String()[:400], "Content-Encoding", "gzip"), 400, `'code':'gzip_invalid'`)
	if n := len(g.Identity.Requests()); n != 1 {
		t.Errorf("counted %d times", n)
	}
	check(t, g.send("/v1/track", "x", "Content-Encoding", "gzip"), 400, `'code':'gzip_invalid'`)
	if n := len(g.Identity.Requests()); n != 1 {
		t.Error("counted for nobody's key")
	}
}

func TestAnyContentTypeIsReadAsJSON(t *testing.T) {
	for _, contentType := range []string{
		"", "application/json", "text/plain", "text/plain;charset=UTF-8", "application/json; charset=utf-8", "application/json; charset=us-ascii",
		"application/x-www-form-urlencoded", "application/octet-stream", ";;;",
	} {
		check(t, open(t).send("/v1/t", trackCall("m", ""), "Content-Type", contentType, "X-Write-Key", webKey), 200, `{'success':true}`)
	}
}

func TestABombIsNotDecompressedBeyondTheLimit(t *testing.T) {
	g := open(t)
	bomb := zipped(t, strings.Repeat("x", 10<<20))[:6000]
	g.post("/v1/batch", webKey, `[7]`) // so that everything there is once is there
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	check(t, g.send("/v1/batch", bomb, "Content-Encoding", "gzip", "X-Write-Key", webKey), 413, `'code':'body_too_large'`)
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
		t.Errorf("%d bytes allocated for a body of at most 6000", used)
	}
}
