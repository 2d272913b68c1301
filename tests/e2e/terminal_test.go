package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/tests/program"
)

// gatewayOf returns the process whose terminal or log tells about calls.
func gatewayOf(d deployment) *program.Process {
	if c, ok := d.(*cluster); ok {
		return c.running["gatewayd"]
	}
	return d.(*standalone).sojourn
}

// TestWhoSeesNoAnswersSeesInTheTerminalThatCallsAreRejected sends as a library does that only reports errors of the network, to programs
// that were started without a flag about their log, and runs the command that the terminal names.
func TestWhoSeesNoAnswersSeesInTheTerminalThatCallsAreRejected(t *testing.T) {
	onBoth(t, func(t *testing.T, d deployment) {
		bad := func(id string) string {
			return fmt.Sprintf(`{"type":"track","messageId":%q,"anonymousId":"s","userId":"u","event":"E"}`, id)
		}
		const want = `{"success":false,"accepted":0,"rejected":[`
		if got := send(t, d, "/v1/batch", writeKey, `{"batch":[`+bad("lost-1")+`,`+bad("lost-2")+`]}`); got.status != 200 || !strings.HasPrefix(got.body, want) {
			t.Errorf("answered %d %s, want %s", got.status, got.body, want)
		}
		line := gatewayOf(d).Line(regexp.MustCompile(`^(\{.*"msg":"calls are rejected".*)$`))
		var told struct {
			Level, Workspace, Source, Code, Reason, Command string
			Count                                           int
		}
		if err := json.Unmarshal([]byte(line), &told); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if told.Workspace != "default" || told.Source != "web" || told.Code != "timestamp_required" || told.Count != 2 || told.Reason == "" {
			t.Errorf("told %s", line)
		}
		cmd := exec.Command("sh", "-c", told.Command)
		cmd.Env = append(os.Environ(), "PATH="+binaries+":"+os.Getenv("PATH"), "SOJOURN_QUERY_TOKEN="+queryToken)
		shown, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(shown), "lost-1") || !strings.Contains(string(shown), "lost-2") {
			t.Errorf("%s: %v\n%s", told.Command, err, shown)
		}

		if got := send(t, d, "/v1/track", "nobody-has-this-key", bad("lost-3")); got.status != 401 {
			t.Errorf("answered %d %s", got.status, got.body)
		}
		gatewayOf(d).Line(regexp.MustCompile(`("msg":"requests are refused, and no counters have their calls".*"code":"key_unknown")`))

		once := func(event string) string {
			return fmt.Sprintf(`{"messageId":"4f1c2b7e-9d0a-4c35-8f56-0a1b2c3d4e5f","timestamp":"2026-11-02T09:00:00Z","anonymousId":"s","userId":"u","event":%q}`, event)
		}
		send(t, d, "/v1/track", writeKey, once("Ordered"))
		if got := send(t, d, "/v1/track", writeKey, once("Paid")); !strings.Contains(got.body, "message_id_reused") {
			t.Errorf("answered %d %s", got.status, got.body)
		}
		gatewayOf(d).Line(regexp.MustCompile(`("msg":"calls are dropped.*"code":"message_id_reused".*"command":"sojourn tail -source web -outcome conflict)`))
		if out := gatewayOf(d).Output(); strings.Contains(out, "nobody-has-this-key") || strings.Contains(out, "4f1c2b7e") {
			t.Errorf("the terminal shows what was sent:\n%s", out)
		}
	})
}
