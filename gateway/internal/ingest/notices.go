package ingest

import (
	"context"
	"net/http"
	"strings"

	"github.com/sojournhq/sojourn/gateway/internal/notice"
)

// What the log says to whoever runs Sojourn. Senders are told too, but many of their libraries pass on errors of the network alone.
const (
	callsRejected   = "calls are rejected"
	callsDropped    = "calls are dropped: other calls came with their messageIds before"
	requestsRefused = "requests are refused, and no counters have their calls"
)

// notices are what is to be told about one request: what of it was refused, by what happened and why.
type notices []notice.Notice

// add adds a call.
func (all *notices) add(message, code, reason string) {
	for i := range *all {
		if n := &(*all)[i]; n.Message == message && n.Code == code {
			n.Count++
			return
		}
	}
	*all = append(*all, notice.Notice{Subject: notice.Subject{Message: message, Code: code}, Count: 1, Reason: reason})
}

// noticesOf returns what is to be told about the calls of a request.
func noticesOf(items []item) (all notices) {
	for i := range items {
		if r := items[i].rejection; r != nil {
			all.add(callsRejected, r.Code, r.Message)
			continue
		}
		for _, w := range items[i].parsed.Warnings {
			if w.Code == codeReused {
				all.add(callsDropped, w.Code, w.Message)
			}
		}
	}
	return all
}

// tell tells about a request of a source what is to be told.
func (d *Door) tell(ctx context.Context, v *visit, all notices) {
	for _, n := range all {
		if v.source != nil {
			n.Workspace, n.Source = v.source.workspace, v.source.rules.Source
		}
		n.Command = d.commandFor(&n)
		d.notices.Add(ctx, n)
	}
}

// tellRefused tells of a request that was refused before its calls could be counted. Who asks for paths that there are not, without a key,
// may be anybody who tries doors.
func (d *Door) tellRefused(v *visit, a answer) {
	r, ok := a.body.(refused)
	nobody := v.source == nil && (a.status == http.StatusNotFound && r.Code != "key_unknown" || a.status == http.StatusMethodNotAllowed)
	if !ok || a.shed || a.status >= http.StatusInternalServerError && a.status != http.StatusNotImplemented ||
		v.accepted+v.duplicate+v.rejected > 0 || nobody {
		return
	}
	d.tell(v.r.Context(), v, notices{{Subject: notice.Subject{Message: requestsRefused, Code: r.Code}, Count: 1, Reason: r.Message}})
}

// commandFor returns the command that shows what a notice is about, or "".
func (d *Door) commandFor(n *notice.Notice) string {
	words := []string{"sojourn", "rejected", "-source", n.Source, "-code", n.Code}
	switch n.Message {
	case callsRejected:
	case callsDropped:
		words = []string{"sojourn", "tail", "-source", n.Source, "-outcome", "conflict"}
	default:
		return ""
	}
	if d.config.DataDir != "" {
		words = append(words, "-data", d.config.DataDir)
	}
	if u := d.clientURL(); u != nil && u.String() != defaultURL {
		words = append(words, "-url", u.String())
	}
	for i := range words {
		words[i] = shellWord(words[i])
	}
	return strings.Join(words, " ")
}

// defaultURL is where commands look for a gateway by themselves.
const defaultURL = "http://127.0.0.1:8080"

// shellWord returns text as one word of a shell's command line.
func shellWord(text string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:@%+,=", r)
	}
	if text != "" && strings.TrimFunc(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// Close tells of what is still to be told about what was refused. It comes after the last request.
func (d *Door) Close() { d.notices.Close() }
