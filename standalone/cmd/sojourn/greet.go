package main

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"

	"github.com/sojournhq/sojourn/standalone/internal/setup"
)

const greeting = `Sojourn is ready on %[1]s

Send it a call (Ctrl-C stops Sojourn; what it answered with success is on disk):

  curl -u %[2]s: %[1]s/v1/track -H 'Content-Type: application/json' -d '{"messageId":"m1",
    "timestamp":"'$(date -u +%%FT%%TZ)'","anonymousId":"s1","userId":"ada","groupId":"acme",
    "event":"Invoice Created","properties":{"module":"Billing"}}'

Ask it which sessions there were:

  curl -H 'Authorization: Bearer %[3]s' -H 'Content-Type: application/json' \
    -d '{}' %[1]s/sojourn.sessions.v1.QueryService/ListSessions

Or fill it with a demo: go run ./standalone/cmd/sojourn demo -url %[1]s
Calls that it rejects are reported in this terminal, with the command that shows them.
%[4]s
Health and metrics are on %[5]s
`

const (
	withKeys = "These keys are those of the first start, kept in %[1]s, which may be deleted. Workspaces, with the\n" +
		"hashes of keys, are in %[2]s"
	withoutKeys = "WRITE_KEY and QUERY_TOKEN stand for keys whose hashes are in %[2]s; \"sojourn new-key write\" makes a new one"
)

// places are where a server can be found.
type places struct {
	url, admin string
	directory
}

// greet says where Sojourn is and how to try it, with the first keys as far as they are there.
func greet(to io.Writer, where places, keys setup.Keys) error {
	about := withKeys
	if keys.WriteKey == "" || keys.QueryToken == "" {
		about = withoutKeys
	}
	about = fmt.Sprintf(about, filepath.Join(where.dir, setup.KeysFile), where.workspacesPath())
	if _, err := fmt.Fprintf(to, greeting, where.url, cmp.Or(keys.WriteKey, "WRITE_KEY"), cmp.Or(keys.QueryToken, "QUERY_TOKEN"),
		about, where.admin); err != nil {
		return fmt.Errorf("print greeting: %w", err)
	}
	return nil
}
