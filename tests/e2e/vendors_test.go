package e2e

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// vendorCall is a request as a client sends it that speaks Segment's language and is not Segment's.
type vendorCall struct {
	path   string
	header []string
	body   string // SENT stands for when it is sent
}

// vendorCalls are requests as the browser clients of RudderStack 3.34.1 and Jitsu 1.11.0 make them, with everything around what counts, but for
// what they say of the machine that they run on. They come out of order on purpose.
func vendorCalls() []vendorCall {
	basic, text := []string{"Authorization", strings.TrimPrefix(basic(writeKey), "Authorization: ")}, []string{"Content-Type", "text/plain"}
	jitsu := []string{"X-Write-Key", jitsuKey}
	const rudder = `"channel":"web","context":{"traits":{"firstName":"Peter","lastName":"Gibbons","email":"peter@initech.example"},"sessionId":1796138858228,` +
		`"app":{"name":"RudderLabs JavaScript SDK","installType":"npm"},"library":{"name":"RudderLabs JavaScript SDK","version":"3.34.1"},"campaign":{},` +
		`"page":{"path":"/","referrer":"$direct","title":"x","initial_referrer":"$direct"},"timezone":"GMT+0000"},"anonymousId":"rudder",` +
		`"integrations":{"All":true},"sentAt":"SENT"`
	const masked = `"anonymousId":"jitsu","sentAt":"SENT","writeKey":"jitsu-id-of-default:***","context":{"library":{"name":"@jitsu/js","version":"1.11.0",` +
		`"env":"browser"},"traits":{"firstName":"Milton"},"page":{"path":"/","referrer":"","encoding":"UTF-8"},"clientIds":{},"campaign":{}}`
	page := `{"properties":{"name":"Home","category":"Dashboard","path":"/","referrer":"$direct"},"name":"Home","category":"Dashboard","type":"page",` +
		`"userId":"u-1","originalTimestamp":"2026-11-02T10:01:00Z","messageId":"ca81317c-b4ce-4c29-b22b-18155dd88410",` + rudder + `}`
	return []vendorCall{
		{"/v1/identify", basic, `{"userId":"u-1","type":"identify","originalTimestamp":"2026-11-02T10:00:00Z","messageId":"802b2934-2952-4a92-9254-165727e18e58",` + rudder + `}`},
		{"/v1/page", basic, page},
		{"/beacon/v1/batch?writeKey=" + url.QueryEscape(writeKey), text, `{"batch":[{"type":"track","event":"Invoice Sent","properties":{"module":"Billing"},"userId":"u-1",` +
			`"originalTimestamp":"2026-11-02T10:20:00Z","messageId":"673e3c41-fc6f-4998-a61f-5e03df84b351",` + rudder + `},` +
			page + `,{"type":"track","event":"Widget Added","properties":{"module":"Dashboard"},"userId":"u-1",` +
			`"originalTimestamp":"2026-11-02T10:02:00Z","messageId":"781ee133-678c-4df7-ab24-5b87ffa171ab",` + rudder + `}],"sentAt":"SENT"}`},
		{"/v1/group", basic, `{"type":"group","groupId":"initech","traits":{"name":"Initech","createdAt":"2024-02-19T00:00:00Z","employees":120,"tier":"silver"},` +
			`"userId":"u-1","originalTimestamp":"2026-11-02T10:00:05Z","messageId":"130db81b-8186-4338-b80f-e104d838219c",` + rudder + `}`},
		{"/api/s/track", jitsu, `{"type":"track","event":"Report Built","properties":{"module":"Reports"},"userId":"u-2","groupId":"initech",` +
			`"timestamp":"2026-11-03T08:04:00.042Z","messageId":"21vc3w8s4lse6p8n1yhel",` + masked + `}`},
		{"/api/s/identify", jitsu, `{"type":"identify","userId":"u-2","traits":{"firstName":"Milton","email":"milton@initech.example"},` +
			`"timestamp":"2026-11-03T08:00:00.042Z","messageId":"1xho7hgxv6p22enjzj6pmo",` + masked + `}`},
		{"/api/s/s2s/event", jitsu, `{"type":"page","properties":{"title":"x","path":"/","hash":"","name":"Home","module":"Reports"},"userId":"u-2","groupId":"initech",` +
			`"timestamp":"2026-11-03T08:01:00.042Z","messageId":"1xfwcjdz919vgsfzk5qcs",` + masked + `}`},
	}
}

func (c vendorCall) send(t *testing.T, d deployment) {
	t.Helper()
	body := strings.ReplaceAll(c.body, "SENT", time.Now().UTC().Format("2006-01-02T15:04:05.000Z"))
	request, err := http.NewRequest(http.MethodPost, d.url()+c.path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(c.header); i += 2 {
		request.Header.Set(c.header[i], c.header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if text, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusOK || !strings.HasPrefix(string(text), `{"success":true`) {
		t.Errorf("%s: answered %d %s", c.path, response.StatusCode, text)
	}
}

func TestCallsOfRudderStacksAndJitsusClientsGiveTheStateThatAPersonWouldWorkOut(t *testing.T) {
	golden, err := os.ReadFile("testdata/vendors.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	onBoth(t, func(t *testing.T, d deployment) {
		for range 2 { // every call once more changes nothing
			for _, c := range vendorCalls() {
				c.send(t, d)
			}
			compareDump(t, string(golden), dumpRunning(t, d))
		}
	})
}
