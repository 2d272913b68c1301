package gateway_test

import (
	"bufio"
	"bytes"
	"io"
	"math"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/gateway/internal/backendtest"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
)

func TestAChunkedBodyIsReadToItsEnd(t *testing.T) {
	g, b := open(t)
	s := serve(t, g)
	// As analytics-kotlin sends: nobody knows the length of the body before it ends.
	body := zipped(batchOf(keyOf(writeKey), tracked()))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/b", io.MultiReader(
		strings.NewReader(body[:10]), strings.NewReader(body[10:])))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Encoding", "gzip")
	r.Header.Set("Content-Type", "text/plain")
	if r.ContentLength != 0 {
		t.Fatal("the body has a length, so this test shows nothing")
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || string(text) != `{"success":true,"accepted":1,"rejected":[]}`+"\n" {
		t.Errorf("answered %d %s, %v", resp.StatusCode, text, err)
	}
	if got := takenBy(b.Sessions, false); got != tookTracked {
		t.Errorf("took %q", got)
	}
}

// raw sends the bytes of a request, its line ends as CR LF, and then, if asked to, nothing more. It returns the answer, and whether the
// connection ends behind it, which is waited for.
func (s *server) raw(t *testing.T, text string, end bool) (status int, body string, closed bool) {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, strings.ReplaceAll(text, "\n", "\r\n")); err != nil {
		t.Fatal(err)
	}
	if end {
		_ = conn.(*net.TCPConn).CloseWrite()
	}
	answers := bufio.NewReader(conn)
	resp, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode == http.StatusServiceUnavailable {
		return resp.StatusCode, strings.TrimSpace(string(answer)), false // nobody asks
	}
	_, err = answers.ReadByte()
	return resp.StatusCode, strings.TrimSpace(string(answer)), err != nil
}

// end stops the server, and waits for the connections that it lingers over.
func (s *server) end(t *testing.T) {
	t.Helper()
	s.stop()
	if err := <-s.done; err != nil {
		t.Error(err)
	}
}

const basicAuth = "Authorization: Basic d3JpdGUta2V5LTAwMDAwMDAwOg==\n" // writeKey

func TestAMalformedChunkIsTheSendersFaultAndABrokenConnectionIsNot(t *testing.T) {
	for name, c := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"no size":                     {"xyz\n{}\n0\n\n", 400, "chunks_invalid"},
		"an empty size":               {"\n{}\n0\n\n", 400, "chunks_invalid"},
		"a negative size":             {"-5\n{}\n0\n\n", 400, "chunks_invalid"},
		"a size beyond all numbers":   {"fffffffffffffffff\n{}\n0\n\n", 400, "chunks_invalid"},
		"longer than it says":         {"1\n{}}}}\n0\n\n", 400, "chunks_invalid"},
		"an endless line":             {"1;" + strings.Repeat("x", 100_000) + "\n{\n0\n\n", 400, "chunks_invalid"},
		"behind a good one":           {"2\n{}\nzz\n", 400, "chunks_invalid"},
		"a trailer that is none":      {"2\n{}\n0\ngarbage\n\n", 400, "chunks_invalid"},
		"broken off in a chunk":       {"5000\n{\"a\":", 503, "body_incomplete"},
		"broken off in front of one":  {"2\n{}\n", 503, "body_incomplete"},
		"broken off in a size":        {"5", 503, "body_incomplete"},
		"broken off in the trailer":   {"2\n{}\n0\n", 503, "body_incomplete"},
		"good chunks, and a bad call": {"2\n{}\n0\n\n", 400, "timestamp_required"},
	} {
		t.Run(name, func(t *testing.T) {
			g, b := open(t)
			s := serve(t, g)
			defer s.end(t)
			for path, key := range map[string]string{"/v1/track": basicAuth, "/v1/segment/" + writeKey: "", "/v1/batch?writeKey=" + writeKey: ""} {
				if path != "/v1/track" && c.code == "timestamp_required" {
					continue
				}
				before := len(b.Identity.Rejections())
				status, body, closed := s.raw(t, "POST "+path+" HTTP/1.1\nHost: h\n"+key+"Transfer-Encoding: chunked\n\n"+c.body, c.code != "chunks_invalid")
				if status != c.status || !strings.Contains(body, `"code":"`+c.code+`"`) {
					t.Errorf("%s: answered %d %s, want %d %s", path, status, body, c.status, c.code)
				}
				rejections := b.Identity.Rejections()[before:]
				if counted := len(rejections) == 1 && rejections[0].GetCode() == c.code; counted != (c.status == 400) {
					t.Errorf("%s: counted as %v", path, rejections)
				}
				if c.code == "chunks_invalid" && !closed {
					t.Errorf("%s: the connection goes on, and what follows could be taken for a request", path)
				}
			}
		})
	}
}

func TestAMalformedChunkBehindTheKeyIsCountedForIt(t *testing.T) {
	g, b := open(t)
	s := serve(t, g)
	defer s.end(t)
	status, body, _ := s.raw(t, "POST /v1/batch HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n23\n{"+keyOf(writeKey)+`,"a":`+"\nzz\n", false)
	if told := b.Identity.Requests(); status != 400 || len(told) != 1 ||
		told[0].(*identityv1.RecordCallsRequest).GetRejections()[0].GetCode() != "chunks_invalid" {
		t.Errorf("answered %d %s, counted as %v", status, body, told)
	}
	if status, body, _ = s.raw(t, "POST /v1/batch HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n2\n{}\nzz\n", false); status != 401 && status != 400 {
		t.Errorf("without a key answered %d %s", status, body)
	}
	if n := len(b.Identity.Requests()); n != 1 {
		t.Errorf("counted %d times", n)
	}
}

func TestAContentLengthBeyondTheLimitIsTooLargeWhateverComesOfIt(t *testing.T) {
	g, b := open(t)
	s := serve(t, g)
	defer s.end(t)
	for name, c := range map[string]struct{ path, length, body string }{
		"the longest there is": {"/v1/track", "9223372036854775807", trackCall},
		"a call":               {"/v1/track", "32769", trackCall},
		"a batch":              {"/v1/batch", "512001", `{"batch":[`},
		"a delivery":           {"/v1/segment", "5242881", `[`},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(b.Identity.Rejections())
			status, body, closed := s.raw(t, "POST "+c.path+" HTTP/1.1\nHost: h\n"+basicAuth+"Content-Length: "+c.length+"\n\n"+c.body, true)
			if status != 413 || !strings.Contains(body, `"code":"body_too_large"`) || !closed {
				t.Errorf("answered %d %s, closed %v", status, body, closed)
			}
			if n := len(b.Identity.Rejections()) - before; n != 1 {
				t.Errorf("counted %d times", n)
			}
		})
	}
	// One that is within the limit is waited for.
	if status, body, _ := s.raw(t, "POST /v1/track HTTP/1.1\nHost: h\n"+basicAuth+"Content-Length: 32768\n\n"+trackCall, true); status != 503 {
		t.Errorf("within the limit answered %d %s", status, body)
	}
}

func TestABodyThatSaysItIsTooLongAndDoesNotComeIsRefusedAndCountedBeforeTheDeadline(t *testing.T) {
	onWire(t, func(t *testing.T, w *wire, b *backendtest.Backend) {
		for name, sent := range map[string]string{"nothing comes": "", "a part comes": trackCall} {
			conn, began := w.dial(), time.Now()
			if _, err := io.WriteString(conn, header(math.MaxInt64)+sent); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if took := time.Since(began); resp.StatusCode != http.StatusRequestEntityTooLarge || !bytes.Contains(text, []byte("body_too_large")) || took != 2*time.Second {
				t.Errorf("%s: answered %d %s after %v", name, resp.StatusCode, text, took)
			}
			_ = conn.Close()
		}
		if n := len(b.Identity.Rejections()); n != 2 {
			t.Errorf("counted %d times", n)
		}
	})
}
