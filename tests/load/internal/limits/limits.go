// Package limits holds the servers that Sojourn is compared with: what net/http can do at all on the machine, and what it can do when it reads
// the calls and nothing more. They store nothing and check nothing.
package limits

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// The kinds of server.
const (
	// Discard throws every body away unread by anything but net/http.
	Discard = "discard"
	// JSON decodes every body with encoding/json.
	JSON = "json"
)

// Handler returns the handler of a kind.
func Handler(kind string) (http.Handler, error) {
	switch kind {
	case Discard:
		return http.HandlerFunc(discard), nil
	case JSON:
		return http.HandlerFunc(decode), nil
	default:
		return nil, fmt.Errorf("there is no limit %q, only %s and %s", kind, Discard, JSON)
	}
}

func discard(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	succeed(w)
}

// message is a call as a program would read it that means to work with it.
type message struct {
	Type              string         `json:"type"`
	MessageID         string         `json:"messageId"`
	AnonymousID       string         `json:"anonymousId"`
	UserID            string         `json:"userId"`
	GroupID           string         `json:"groupId"`
	Event             string         `json:"event"`
	Name              string         `json:"name"`
	OriginalTimestamp string         `json:"originalTimestamp"`
	Timestamp         string         `json:"timestamp"`
	SentAt            string         `json:"sentAt"`
	Properties        map[string]any `json:"properties"`
	Traits            map[string]any `json:"traits"`
	Context           messageContext `json:"context"`
	Batch             []message      `json:"batch"`
}

type messageContext struct {
	GroupID   string `json:"groupId"`
	IP        string `json:"ip"`
	Locale    string `json:"locale"`
	UserAgent string `json:"userAgent"`
	Library   struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	} `json:"library"`
}

func decode(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var m message
	if err := json.Unmarshal(body, &m); err != nil || m.MessageID == "" && len(m.Batch) == 0 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	succeed(w)
}

func succeed(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, "{\"success\":true}\n") // a client that went away misses nothing
}
