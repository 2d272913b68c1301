package gateway_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
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
