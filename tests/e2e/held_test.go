package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/tests/program"
)

// held is what a process keeps when its garbage is collected. RssAnon says less: how much garbage is among it depends on when the collector
// last ran.
type held struct{ heap, goroutines, files int } // bytes; open files and connections

// mayVary is how far what is held at rest is from what it was a moment ago: what a healthy client has under way, and what is remembered.
var mayVary = held{heap: 6 << 20, goroutines: 16, files: 12}

// mostAnonymous is how much memory of its own a process may take, garbage and all, in KiB. It tries to stay below 440 MiB.
const mostAnonymous = 512 << 10

func (h held) String() string {
	return fmt.Sprintf("%d KiB, %d goroutines and %d files", h.heap>>10, h.goroutines, h.files)
}

func (h held) plus(o held) held {
	return held{h.heap + o.heap, h.goroutines + o.goroutines, h.files + o.files}
}

func (h held) within(most held) bool {
	return h.heap <= most.heap && h.goroutines <= most.goroutines && h.files <= most.files
}

func least(a, b held) held {
	return held{min(a.heap, b.heap), min(a.goroutines, b.goroutines), min(a.files, b.files)}
}

// restingAt returns the least that a process holds in some looks.
func restingAt(t *testing.T, s *standalone) held {
	t.Helper()
	applyLogs(t, s)
	at := lookAt(t, s)
	for range 9 {
		at = least(at, lookAt(t, s))
	}
	return at
}

// expectHeld looks until a process holds no more than that: what is under way ends, and what leaks stays.
func expectHeld(t *testing.T, s *standalone, most held) {
	t.Helper()
	applyLogs(t, s)
	now := lookAt(t, s)
	for deadline := time.Now().Add(patience); !now.within(most) && time.Now().Before(deadline); now = lookAt(t, s) {
		time.Sleep(50 * time.Millisecond)
	}
	if t.Logf("held: %v", now); !now.within(most) {
		t.Errorf("%v are held, want at most %v", now, most)
	}
}

// applyLogs has rows applied that stand in memory until there are enough of them, as a backup does before it begins.
func applyLogs(t *testing.T, s *standalone) {
	t.Helper()
	backup := exec.Command(filepath.Join(binaries, "sojourn"), "backup", "-url", s.url(), "-out", t.TempDir())
	backup.Env = append(os.Environ(), "SOJOURN_ADMIN_TOKEN="+adminToken)
	if out, err := backup.CombinedOutput(); err != nil {
		t.Fatalf("back up: %v\n%s", err, out)
	}
}

// lookAt has the garbage collected, twice because pools survive once, and returns what is left.
func lookAt(t *testing.T, s *standalone) held {
	t.Helper()
	getAdmin(t, s, "/debug/pprof/heap?gc=1")
	return held{
		heap:       number(t, getAdmin(t, s, "/debug/pprof/heap?gc=1&debug=1"), "# HeapAlloc ="),
		goroutines: number(t, getAdmin(t, s, "/debug/pprof/goroutine?debug=1"), "goroutine profile: total"),
		files:      openFiles(t, s.sojourn),
	}
}

// number returns the number that follows something at the start of a line.
func number(t *testing.T, text, what string) int {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(what) + ` (\d+)$`).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("there is no line %q", what)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// getAdmin returns what the admin port has under a path.
func getAdmin(t *testing.T, s *standalone, path string) string {
	t.Helper()
	response, err := http.Get(s.admin("sojourn") + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", path, response.Status, err)
	}
	return string(text)
}

// openFiles returns how many files and connections a process has open.
func openFiles(t *testing.T, p *program.Process) int {
	t.Helper()
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.PID()))
	if err != nil {
		t.Skip("open files can be looked at on Linux only")
	}
	return len(files)
}

// anonymous returns how much memory of a process is its own, in KiB.
func anonymous(t *testing.T, p *program.Process) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	if err != nil {
		t.Skip("memory can be looked at on Linux only")
	}
	m := regexp.MustCompile(`RssAnon:\s+(\d+) kB`).FindSubmatch(text)
	if m == nil {
		t.Fatalf("no memory in %s", text)
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n
}
