package e2e

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"
)

// hostile is one case of testdata/hostile. README.md there says what its fields mean.
type hostile struct {
	Name string `yaml:"name"`
	// What is sent.
	Base    string   `yaml:"base"`
	Field   string   `yaml:"field"`
	JSON    string   `yaml:"json"`
	Body    *string  `yaml:"body"`
	Gzip    string   `yaml:"gzip"`
	Unsaid  bool     `yaml:"unsaid"`
	Method  string   `yaml:"method"`
	Path    string   `yaml:"path"`
	Key     string   `yaml:"key"`
	Headers []string `yaml:"headers"`
	Raw     string   `yaml:"raw"`
	Close   bool     `yaml:"close"`
	// What comes back.
	Want     string   `yaml:"want"`
	Accepted int      `yaml:"accepted"`
	Rejected []string `yaml:"rejected"`
	Warning  string   `yaml:"warning"`
	Books    []int    `yaml:"books"`

	id string
}

const (
	signedKey   = "write-key-of-default-signed"
	mappedKey   = "write-key-of-default-mapped"
	hostileYAML = `
admin_tokens: [` + adminToken + `]
workspaces:
  - id: default
    query_tokens: [` + queryToken + `]
    dimensions: [{name: Plan, type: string, from: [group.plan]}]
    sources:
      - {id: web, write_keys: [` + writeKey + `], require_anonymous_id: true, require_user_id: true}
      - {id: lax, write_keys: [` + laxKey + `]}
      - {id: jitsu, write_keys: ["jitsu-id-of-default:jitsu-secret"]}
      - {id: deletes, write_keys: [write-key-of-default-deletes], allow_delete: true}
      - {id: signed, write_keys: [` + signedKey + `], shared_secrets: [a-shared-secret-of-this-test]}
      - id: mapped
        write_keys: [` + mappedKey + `]
        mapping:
          account: [properties.company.id, context.groupId]
          feature: [properties.__proto__, event]
          module: [properties.area]
  - id: other
    query_tokens: [` + otherToken + `]
    sources: [{id: web, write_keys: [` + otherWriteKey + `]}]
`
)

// hostileCases reads all cases. Each gets an id of its own.
func hostileCases(t *testing.T) []*hostile {
	t.Helper()
	files, err := filepath.Glob("testdata/hostile/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var all []*hostile
	names := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var cases []*hostile
		if err := yaml.Load(text, &cases, yaml.WithKnownFields()); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		theme := strings.TrimSuffix(filepath.Base(file), ".yaml")
		for _, c := range cases {
			if c.Name == "" {
				c.Name = strings.TrimSpace(c.Base + " " + c.Field + " " + c.JSON)
			}
			c.Name = theme + ": " + c.Name
			if names[c.Name] {
				t.Errorf("%s stands twice", c.Name)
			}
			names[c.Name] = true
			c.id = fmt.Sprintf("%s-%d", theme, len(all))
			all = append(all, c)
		}
	}
	return all
}

// good returns a call that is taken, with one member set to other JSON, or without it if that is empty.
func (c *hostile) good() string {
	members := [][2]string{
		{"type", `"` + c.kind() + `"`},
		{"messageId", `"` + c.id + `"`},
		{"timestamp", `"2026-11-02T09:00:00Z"`},
		{"anonymousId", `"s"`},
		{"userId", `"u"`},
	}
	switch c.kind() {
	case "track":
		members = append(members, [2]string{"event", `"E"`}, [2]string{"properties", `{"module":"M"}`})
	case "group":
		members = append(members, [2]string{"groupId", `"g"`}, [2]string{"traits", `{"name":"N"}`})
	case "identify":
		members = append(members, [2]string{"traits", `{"email":"e@example.com"}`})
	case "alias":
		members = append(members, [2]string{"previousId", `"p"`})
	}
	found := false
	var parts []string
	for _, m := range members {
		if m[0] == c.Field {
			found = true
			m[1] = expand(c.JSON)
		}
		if m[1] != "" {
			parts = append(parts, `"`+m[0]+`":`+m[1])
		}
	}
	if !found && c.Field != "" {
		parts = append(parts, `"`+c.Field+`":`+expand(c.JSON))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func (c *hostile) kind() string {
	if c.Base == "" {
		return "track"
	}
	return c.Base
}

var generator = regexp.MustCompile(`(?s)<<(repeat|hex|good|id|key)(?: (.*?))?(?: (\d+))?>>`)

// expand replaces generators: <<repeat TEXT N>>, <<hex ff 00>>, <<good>>, <<id>> and <<key>>.
func expand(text string) string { return expandWith(text, "", "") }

func expandWith(text, good, id string) string {
	return generator.ReplaceAllStringFunc(text, func(found string) string {
		m := generator.FindStringSubmatch(found)
		switch m[1] {
		case "repeat":
			n, _ := strconv.Atoi(m[3])
			return strings.Repeat(m[2], n)
		case "hex":
			raw, err := hex.DecodeString(strings.ReplaceAll(m[2]+m[3], " ", ""))
			if err != nil {
				panic(err)
			}
			return string(raw)
		case "good":
			return good
		case "key":
			return writeKey
		}
		return id
	})
}

func basic(key string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(key+":"))
}

// request returns the bytes that are sent.
func (c *hostile) request() []byte {
	if c.Raw != "" {
		raw := strings.ReplaceAll(strings.ReplaceAll(c.Raw, "\r\n", "\n"), "\n", "\r\n")
		raw = strings.ReplaceAll(raw, "<<auth>>", basic(writeKey))
		return []byte(expandWith(raw, c.good(), c.id))
	}
	body := c.good()
	if c.Body != nil {
		body = expandWith(*c.Body, body, c.id)
	}
	headers := []string{"Host: sojourn", "Content-Type: application/json", "Connection: close"}
	if c.Gzip != "" {
		body = compressed(body, c.Gzip)
		if !c.Unsaid {
			headers = append(headers, "Content-Encoding: gzip")
		}
	}
	switch c.Key {
	case "":
		headers = append(headers, basic(writeKey))
	case "none":
	default:
		headers = append(headers, basic(c.Key))
	}
	for _, h := range c.Headers {
		name, _, _ := strings.Cut(h, ":")
		if name == "Content-Type" {
			headers[1] = h
			continue
		}
		headers = append(headers, expandWith(h, "", c.id))
	}
	headers = append(headers, fmt.Sprint("Content-Length: ", len(body)))
	method, path := "POST", "/v1/"+c.kind()
	if c.Method != "" {
		method = c.Method
	}
	if c.Path != "" {
		path = expandWith(c.Path, "", c.id)
	}
	return []byte(method + " " + path + " HTTP/1.1\r\n" + strings.Join(headers, "\r\n") + "\r\n\r\n" + body)
}

func compressed(text, how string) string {
	var to bytes.Buffer
	w, _ := gzip.NewWriterLevel(&to, gzip.BestCompression)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	whole := to.String()
	switch how {
	case "truncated":
		return whole[:len(whole)/2]
	case "without its checksum":
		return whole[:len(whole)-8]
	case "corrupt":
		return whole[:len(whole)/2] + "\x00\xff\x00\xff" + whole[len(whole)/2+4:]
	case "wrong checksum":
		return whole[:len(whole)-8] + "\x01\x02\x03\x04" + whole[len(whole)-4:]
	case "trailing garbage":
		return whole + "garbage"
	case "two members":
		return compressed(text[:len(text)/2], "whole") + compressed(text[len(text)/2:], "whole")
	case "twice":
		return compressed(whole, "whole")
	case "header only":
		return whole[:10]
	}
	return whole
}

// said is what came back.
type said struct {
	status   int // 0: the connection was closed without an answer
	code     string
	batch    bool // how many calls were accepted is said
	success  bool
	accepted int
	rejected []string
	warnings string
	took     time.Duration
}

func (c *hostile) send(address string) (said, error) {
	request := c.request() // made before the clock runs: the longest take their time
	began := time.Now()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return said{}, err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(began.Add(10 * time.Second))
	go func() { // the answer may come before all is sent
		_, _ = conn.Write(request)
		if c.Close {
			_ = conn.(*net.TCPConn).CloseWrite()
		}
	}()
	answers := bufio.NewReader(conn)
	resp, err := http.ReadResponse(answers, &http.Request{Method: c.Method})
	for err == nil && resp.StatusCode == http.StatusContinue {
		resp, err = http.ReadResponse(answers, &http.Request{Method: c.Method})
	}
	if err != nil {
		return said{took: time.Since(began)}, nil
	}
	defer func() { _ = resp.Body.Close() }()
	text, _ := io.ReadAll(resp.Body) // what is cut off is no JSON
	var body struct {
		Code     string
		Success  bool
		Accepted *int
		Rejected []struct{ Code string }
		Warnings []struct{ Code string }
	}
	s := said{status: resp.StatusCode, took: time.Since(began)}
	if json.Unmarshal(text, &body) == nil {
		s.code, s.success = body.Code, body.Success
	}
	if s.batch = body.Accepted != nil; s.batch {
		s.accepted = *body.Accepted
	}
	for _, r := range body.Rejected {
		s.rejected = append(s.rejected, r.Code)
	}
	for _, w := range body.Warnings {
		s.warnings += w.Code + " "
	}
	return s, nil
}

// check compares an answer with what the case wants.
func (c *hostile) check(t *testing.T, s said) {
	t.Helper()
	status, code, _ := strings.Cut(c.Want, " ")
	got := "closed"
	if s.status != 0 {
		got = strconv.Itoa(s.status)
	}
	if got != status || s.code != code {
		t.Errorf("%s: got %s %s, want %s", c.Name, got, s.code, c.Want)
	}
	if s.accepted != c.Accepted || strings.Join(s.rejected, " ") != strings.Join(c.Rejected, " ") {
		t.Errorf("%s: %d accepted and %v rejected, want %d and %v", c.Name, s.accepted, s.rejected, c.Accepted, c.Rejected)
	}
	if s.batch && s.success != (s.accepted > 0) {
		t.Errorf("%s: success is %v with %d accepted", c.Name, s.success, s.accepted)
	}
	if !strings.Contains(s.warnings, c.Warning) {
		t.Errorf("%s: warnings %s, want %s", c.Name, s.warnings, c.Warning)
	}
	switch {
	case s.status < http.StatusInternalServerError, s.status == http.StatusNotImplemented, s.status == http.StatusHTTPVersionNotSupported:
	case s.status == http.StatusServiceUnavailable && s.code == "body_incomplete": // the case's own doing
	default:
		t.Errorf("%s: answered %d", c.Name, s.status)
	}
	if s.took > 5*time.Second {
		t.Errorf("%s: answered after %v", c.Name, s.took)
	}
}

// effect is how many calls the case adds to the books as accepted and rejected.
func (c *hostile) effect() (accepted, rejected int) {
	status, code, _ := strings.Cut(c.Want, " ")
	switch {
	case c.Books != nil:
		return c.Books[0], c.Books[1]
	case c.Accepted > 0 || len(c.Rejected) > 0:
		return c.Accepted, len(c.Rejected)
	case status == "200":
		return 1, 0
	case (status == "400" || status == "413" || status == "415" || status == "501") && code != "" && c.Raw == "":
		return 0, 1
	}
	return 0, 0
}

// sums are those of a workspace's books.
type sums struct{ received, accepted, duplicate, rejected int }

func booksOf(t *testing.T, d deployment, token string) (sum sums) {
	t.Helper()
	number := func(text string) int { n, _ := strconv.Atoi(text); return n } // protobuf's JSON leaves out what is 0
	type book struct{ Received, Accepted, Duplicate, Filtered, Rejected string }
	for _, b := range ask[struct{ Outcomes []book }](t, d, token, "sojourn.identity.v1.QueryService/ListOutcomes", `{}`).Outcomes {
		one := sums{number(b.Received), number(b.Accepted), number(b.Duplicate), number(b.Rejected)}
		if one.received != one.accepted+one.duplicate+number(b.Filtered)+one.rejected {
			t.Errorf("the books do not balance: %+v", one)
		}
		sum = sums{
			sum.received + one.received, sum.accepted + one.accepted, sum.duplicate + one.duplicate, sum.rejected + one.rejected,
		}
	}
	return sum
}

// healthy sends good calls to another workspace until it is told to stop, and counts those that were answered 200.
func healthy(t *testing.T, d deployment, stop <-chan struct{}) (wait func() int64) {
	var sent atomic.Int64
	var done sync.WaitGroup
	for client := range 2 {
		done.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(2 * time.Millisecond):
				}
				a, err := trySend(d, "/v1/track", otherWriteKey, fmt.Sprintf(`{"type":"track","messageId":"healthy-%d-%d",`+
					`"timestamp":"2026-11-02T09:00:00Z","anonymousId":"s","userId":"u","event":"E"}`, client, i))
				if err != nil || a.status != http.StatusOK {
					t.Errorf("a healthy client was answered %d %s, %v", a.status, a.body, err)
				}
				sent.Add(1)
			}
		})
	}
	return func() int64 { done.Wait(); return sent.Load() }
}

func TestHostileInputIsAnsweredAsItDeservesAndDisturbsNobody(t *testing.T) {
	const warmUp, rounds = 2, 8
	cases := hostileCases(t)
	if len(cases) < 300 {
		t.Errorf("%d cases, want 300", len(cases))
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "workspaces.yaml"), []byte(hostileYAML), 0o600); err != nil {
		t.Fatal(err)
	}
	d := startStandalone(t, dir)
	stop := make(chan struct{})
	sent := healthy(t, d, stop)

	before := booksOf(t, d, queryToken)
	for _, c := range cases { // one by one, to see what each does
		s, err := c.send(d.address)
		if err != nil {
			t.Fatal(err)
		}
		c.check(t, s)
		after := booksOf(t, d, queryToken)
		accepted, rejected := c.effect()
		if a, r := after.accepted-before.accepted, after.rejected-before.rejected; a != accepted || r != rejected {
			t.Errorf("%s: %d were accepted and %d rejected, want %d and %d", c.Name, a, r, accepted, rejected)
		}
		before = after
	}
	var warm held
	var most int
	for round := range warmUp + rounds { // all at once, again and again
		var all sync.WaitGroup
		places := make(chan struct{}, 16)
		for _, c := range cases {
			places <- struct{}{}
			all.Go(func() {
				defer func() { <-places }()
				if s, err := c.send(d.address); err != nil {
					t.Error(err)
				} else {
					c.check(t, s)
				}
			})
		}
		all.Wait()
		if most = max(most, anonymous(t, d.sojourn)); round == warmUp-1 {
			warm = restingAt(t, d)
		}
	}
	t.Logf("%d cases, memory at most %d KiB; held when warm: %v", len(cases), most, warm)
	expectHeld(t, d, warm.plus(mayVary))
	if most > mostAnonymous {
		t.Errorf("memory grew to %d KiB, want %d at most", most, mostAnonymous)
	}
	close(stop)
	calls := sent()
	end := booksOf(t, d, queryToken)
	if end.accepted != before.accepted || end.rejected != before.rejected {
		t.Errorf("the same again changed the books from %+v to %+v", before, end)
	}
	if of := booksOf(t, d, otherToken); int64(of.accepted) != calls || of.received != of.accepted {
		t.Errorf("the healthy clients sent %d calls, and their books show %+v", calls, of)
	}
	if n := strings.Count(dumpRunning(t, d), `{"kind":"event","workspace":"other"`); int64(n) != calls {
		t.Errorf("of %d calls of the healthy clients %d are there", calls, n)
	}
	d.stop()
	if out, err := exec.Command(filepath.Join(binaries, "sojourn"), "verify", "-data", dir).CombinedOutput(); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
}
