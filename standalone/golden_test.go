package standalone_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/standalone"
	"github.com/sojournhq/sojourn/standalone/internal/dump"
)

var updateGolden = flag.Bool("update-golden", false, "write the dumps of the golden histories anew")

// The golden histories and their dumps hold the state to what it was when the dumps were made: testdata/golden. A history is made by its
// number alone. A rule that changes on purpose what a history comes to changes its dump in the same commit, and says why.
const (
	goldenHistories = 50
	goldenCalls     = 150
	goldenSecret    = "shared-secret-000000"
)

const goldenWorkspaces = `
workspaces:
  - id: acme
    tiers: [gold, silver]
    lifecycle_stages: [adoption, renewal]
    dimensions:
      - {name: Plan, type: string, from: [group.plan, identify.plan]}
      - {name: Seats, type: number, from: [group.seats]}
      - {name: Renewal, type: date, from: [group.renewal_date]}
    sources:
      - {id: signed, write_keys: [write-key-000000000001], shared_secrets: [` + goldenSecret + `], require_anonymous_id: false, require_user_id: false}
  - id: other
    dimensions: [{name: Plan, type: string}]
    session_timeout: 10m
    idle_cap: 1m
    sources:
      - id: mapped
        write_keys: [write-key-000000000002]
        shared_secrets: [` + goldenSecret + `]
        require_anonymous_id: false
        require_user_id: false
        mapping:
          module: [properties.area, properties.module, category]
          account: [context.groupId, properties.company]
          feature: [{path: event, types: [track]}, {path: name, types: [screen]}]
          dimensions: {Plan: [context.plan, traits.plan]}
`

func TestTheGoldenHistoriesComeToWhatTheyCameTo(t *testing.T) {
	t.Parallel()
	for number := range goldenHistories {
		t.Run(fmt.Sprintf("%02d", number), func(t *testing.T) {
			t.Parallel()
			file := filepath.Join("testdata", "golden", fmt.Sprintf("%02d.ndjson", number))
			got := dumpOf(t, goldenBodies(uint64(number)))
			if *updateGolden {
				if err := os.WriteFile(file, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// dumpOf sends bodies to a Sojourn of its own, each to the workspace of its turn, and returns its dump.
func dumpOf(t *testing.T, bodies []string) []byte {
	t.Helper()
	c, err := workspace.Parse([]byte(goldenWorkspaces))
	if err != nil {
		t.Fatal(err)
	}
	suite, err := standalone.Open(t.Context(), standalone.Config{Dir: t.TempDir(), Workspaces: c}, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := suite.Close(); err != nil {
			t.Error(err)
		}
	}()
	g, err := gateway.Open(t.Context(), gateway.Config{Workspaces: c}, suite.Backends(), observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	for i, body := range bodies {
		sendSigned(t, g.Handler(), fmt.Sprintf("write-key-00000000000%d", i%2+1), body)
	}
	var out bytes.Buffer
	b := suite.Backends()
	if err := dump.Write(t.Context(), dump.Source{Identity: b.Identity, Events: b.Events, Sessions: b.Sessions}, &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func sendSigned(t *testing.T, to http.Handler, key, body string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/v1/batch", strings.NewReader(body))
	r.SetBasicAuth(key, "")
	mac := hmac.New(sha1.New, []byte(goldenSecret))
	_, _ = io.WriteString(mac, body)
	r.Header.Set("X-Signature", hex.EncodeToString(mac.Sum(nil)))
	w := httptest.NewRecorder()
	to.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("answered %d %s: %s", w.Code, w.Body, body)
	}
}

// goldenBodies returns the batches of a history: calls of five weeks, some of them late, twice or wrong.
func goldenBodies(number uint64) (bodies []string) {
	g := golden{rand.New(rand.NewPCG(number, 17))}
	var calls []string
	at := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	for i := range goldenCalls {
		at = at.Add(g.pause())
		calls = append(calls, g.call(i, at))
	}
	for range goldenCalls / 10 { // late by as much as there is
		i, j := g.IntN(len(calls)), g.IntN(len(calls))
		calls[i], calls[j] = calls[j], calls[i]
	}
	for range goldenCalls / 10 {
		calls = append(calls, calls[g.IntN(len(calls))])
	}
	for len(calls) > 0 {
		n := min(len(calls), 1+g.IntN(12))
		bodies = append(bodies, `{"batch":[`+strings.Join(calls[:n], ",")+`]}`)
		calls = calls[n:]
	}
	return bodies
}

type golden struct{ *rand.Rand }

func (g golden) of(choices ...string) string { return choices[g.IntN(len(choices))] }

// often returns a member of a call, or of one in so many none.
func (g golden) often(oneIn int, member string) string {
	if g.IntN(oneIn) == 0 {
		return ""
	}
	return "," + member
}

func (g golden) pause() time.Duration {
	switch g.IntN(8) {
	case 0:
		return time.Duration(g.IntN(30)) * time.Hour
	case 1:
		return 30*time.Minute + time.Duration(g.IntN(3)-1)*time.Millisecond
	case 2:
		return 0
	}
	return time.Duration(g.IntN(int(12 * time.Minute)))
}

// call returns one call. MessageIds hold a UUID, as those of all libraries do.
func (g golden) call(i int, at time.Time) string {
	user := g.of("ada", "bob", "cy", "dee", "eve", "fay", "12345")
	common := fmt.Sprintf(`"messageId":"m-%08x-0000-4000-8000-%012x","timestamp":"%s"`, g.Uint32(), i, at.Format("2006-01-02T15:04:05.000Z07:00")) +
		g.often(12, `"anonymousId":"`+g.of("s1", "s2", "s3", "s4", "s5", "s6")+`"`)
	named := common + g.often(8, `"userId":"`+user+`"`)
	account := g.of("acme", "globex", "initech")
	switch g.IntN(16) {
	case 0:
		return `{"type":"identify",` + named + `,"traits":{"email":"` + user + `@example.com"` + g.often(2, `"first_name":"`+g.of("Ada", "Bob", "Ö")+`"`) +
			g.often(2, `"plan":"`+g.of("free", "paid")+`"`) + g.often(2, `"title":`+g.of(`null`, `"CEO"`, `7`)) + g.often(3, `"address":{"city":"`+g.of("Oslo", "Rome")+`"}`) + `}}`
	case 1, 2:
		return `{"type":"group",` + named + `,"groupId":"` + account + `","traits":{` + `"x":1` + g.often(3, `"name":"`+account+` Inc"`) +
			g.often(3, `"createdAt":"`+g.of("2020-02-29", "2021-01-01T00:00:00Z", "soon")+`"`) + g.often(2, `"tier":"`+g.of("gold", "bronze")+`"`) +
			g.often(2, `"employees":`+g.of(`12`, `"many"`, `"1200"`, `null`)) + g.often(2, `"seats":`+g.of("3", "4.5", `"x"`)) +
			g.often(2, `"plan":"`+g.of("free", "paid")+`"`) + g.often(2, `"is_churned":`+g.of("true", `"0"`, `"perhaps"`)) + `}}`
	case 3:
		return `{"type":"alias",` + common + `,"userId":"` + user + `","previousId":"` + g.of("ada", "gus", "hal") + `"}`
	case 4, 5:
		return `{"type":"page",` + named + g.often(3, `"category":"`+g.of("Billing", "Reports")+`"`) + `}`
	case 6:
		return `{"type":"screen",` + named + `,"name":"` + g.of("Home", "Settings") + `"}`
	case 7:
		if g.IntN(4) > 0 {
			return `{"type":"track",` + named + `}` // wrong: it has no event
		}
		return `{"type":"delete",` + common + `,"userId":"` + g.of("eve", "fay") + `"}`
	}
	return `{"type":"track",` + named + `,"event":"` + g.of("Export", "Import", "Invoice Created", "Share") + `"` +
		g.often(3, `"properties":{"module":"`+g.of("Billing", "Reports", "Files")+`","company":"`+account+`"}`) + g.often(2, `"context":{"groupId":"`+account+`","plan":"pro"}`) + `}`
}
