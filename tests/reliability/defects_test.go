package reliability_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	defectCount = flag.Int("defects", 1, "how many of the seeded defects must be found, drawn by the seed; 0: all")
	oneDefect   = flag.String("defect", "", "the one defect to be found")
)

// defect is a patch in defects/, a command that must fail when the programs have it, and what it must say then.
type defect struct {
	name    string
	target  string // as the table in docs/reliability.md calls it
	command []string
	sign    string
}

// own is a test of this package, with flags; disk, and store, are those of other packages.
func own(test string, flags ...string) []string {
	return append([]string{"./tests/reliability", "-run", test, "-seed", "7"}, flags...)
}

func other(dir, test string, flags ...string) []string {
	return append([]string{"./" + dir, "-run", test}, flags...)
}

var (
	outage  = own("Outage/sojourn", "-batches", "150")
	killing = own("Killed/sojourn", "-kills", "6", "-every", "300ms", "-calls", "1000", "-batch", "50")
	defects = []defect{
		{"no-fsync", "rel-crash", other("tests/disk/crash", "TestEveryState/events", "-states", "400", "-rounds", "1"), `(?m)^ +crash_test.go:\d+: .*(lost|missing|lacks|is not there)`},
		{"replay-without-the-last-record", "rel-kill", killing, `lost: |too much: |not sound|ended before it was ready|\d+: a record`},
		{"effects-in-a-second-transaction", "rel-kill", killing, `lost: |not sound|sojourn verify`},
		{"answered-before-it-is-stored", "rel-kill", killing, `lost: `},
		{"lost-timer", "rel-kill", killing, `watching tells of`},
		{"timeout-not-included", "rel-outage", outage, `lost: {"kind":"session"`},
		{"last-writer-by-arrival", "rel-outage", outage, `lost: {"kind":"(user|account)"`},
		{"keys-without-an-end-of-text", "test of the keys", other("internal/kit/keys", ""), `FAIL: `},
		{"ledger-not-asked", "rel-outage", outage, `too much: {"kind":"outcome"`},
		{"retry-counted-again", "rel-outage", outage, `sojourn verify`},
		{"merged-session-keeps-its-sums", "rel-outage", outage, `sojourn verify`},
		{"old-calls-moved-to-their-receipt", "rel-outage", outage, `lost: {"kind":"event"`},
		{"deletion-without-tombstone", "test of the store of events", other("services/events/internal/bolt", "BoltIsAStore"), `FAIL: `},
		{"guessed-account", "rel-outage", outage, `lost: {"kind":"event".*"accountId":""`},
		{"workspaces-that-meet", "rel-outage", outage, `lost: {"kind":"event"`},
		{"deadline-longer-than-the-senders", "rel-net", own("BadNetwork", "-faults", "2", "-fault-for", "7s"), `an answer took|attempts were not answered`},
		{"failure-of-one-service-forgiven", "rel-net", own("BadNetwork", "-faults", "3", "-fault-for", "6s", "-seed", "24"), `lost: {"kind":"event"`},
		{"clock-trusted-not-to-go-back", "rel-clock", own("Clock/sojourn", "-clock-for", "2s", "-clock-calls", "500"), `watching tells of`},
		{"ends-told-before-the-commit", "test of who is told", other("standalone", "NobodyIsToldOfTheEnd"), `who .*was told of`},
		{"calls-told-before-the-commit", "test of who is told", other("standalone", "NobodyIsToldOfACall"), `told of .*the file has`},
		{"file-not-forgotten", "test of what is read", other("internal/kit/boltdb", "ComesFromTheDisk"), `the kernel kept from before`},
	}
)

// TestSeededDefectsAreFound builds the programs with one defect after the other, and runs the target that must find it.
func TestSeededDefectsAreFound(t *testing.T) {
	random := rand.New(rand.NewPCG(seed(t), 5))
	drawn := slices.Clone(defects)
	if *oneDefect != "" {
		drawn = slices.DeleteFunc(drawn, func(d defect) bool { return d.name != *oneDefect })
	} else if *defectCount > 0 {
		random.Shuffle(len(drawn), func(i, j int) { drawn[i], drawn[j] = drawn[j], drawn[i] })
		drawn = drawn[:*defectCount]
	}
	if len(drawn) == 0 {
		t.Fatalf("there is no defect %s", *oneDefect)
	}
	good := map[string]bool{} // commands that the source as it is was found good by
	for _, d := range drawn {
		t.Run(d.name, func(t *testing.T) {
			command := strings.Join(d.command, " ")
			if !good[command] {
				if out, err := d.run(""); err != nil {
					t.Fatalf("%s fails without the defect: %.3000s", d.target, out)
				}
			}
			good[command] = true
			d.mustBeFound(t)
		})
	}
}

// TestEverySeededDefectFitsTheSource keeps the patches from growing old.
func TestEverySeededDefectFitsTheSource(t *testing.T) {
	patches, err := filepath.Glob("defects/*.patch")
	if err != nil {
		t.Fatal(err)
	}
	if len(patches) != len(defects) {
		t.Errorf("%d patches for %d defects", len(patches), len(defects))
	}
	for _, d := range defects {
		d.overlay(t)
	}
}

// run runs the command, with more flags for go if there are any.
func (d *defect) run(flags string) ([]byte, error) {
	args := append([]string{"test", "-count=1", d.command[0], "-v"}, d.command[1:]...)
	cmd := exec.Command("go", args...)
	cmd.Dir = *tree
	cmd.Env = append(os.Environ(), "GOFLAGS="+os.Getenv("GOFLAGS")+" "+flags)
	return cmd.CombinedOutput()
}

func (d *defect) mustBeFound(t *testing.T) {
	t.Helper()
	out, err := d.run("-overlay=" + d.overlay(t))
	found := regexp.MustCompile(d.sign).FindString(string(out))
	switch {
	case err == nil && strings.Contains(string(out), "--- SKIP: "):
		t.Skipf("%s is skipped here", d.target)
	case err == nil:
		t.Errorf("%s does not find it", d.target)
	case strings.Contains(string(out), "[build failed]") || strings.Contains(string(out), "build the programs:") || found == "":
		t.Errorf("%s fails, but not for the defect: %.3000s", d.target, out)
	default:
		t.Logf("found by %s: %s", d.target, firstLine(string(out), found))
	}
}

// firstLine is the first line that has a text, shortened.
func firstLine(out, text string) string {
	for line := range strings.Lines(out) {
		if strings.Contains(line, text) {
			return fmt.Sprintf("%.160s", strings.TrimSpace(line))
		}
	}
	return ""
}

// patched finds the files of a patch.
var patched = regexp.MustCompile(`(?m)^\+\+\+ b/(\S+)$`)

// overlay applies the defect's patch to copies of the files that it changes, and returns a file for go build -overlay that puts them in place.
func (d *defect) overlay(t *testing.T) string {
	t.Helper()
	patch, err := filepath.Abs(filepath.Join("defects", d.name+".patch"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(patch)
	if err != nil {
		t.Fatal(err)
	}
	dir, replace := t.TempDir(), map[string]string{}
	for _, match := range patched.FindAllSubmatch(text, -1) {
		from, err := filepath.Abs(filepath.Join(*tree, string(match[1])))
		if err != nil {
			t.Fatal(err)
		}
		replace[from] = filepath.Join(dir, string(match[1]))
		copyFile(t, from, replace[from])
	}
	apply := exec.Command("git", "apply", patch)
	apply.Dir = dir
	apply.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	if out, err := apply.CombinedOutput(); err != nil {
		t.Fatalf("defect %s does not fit the source any more: %s", d.name, out)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o700)
	}
	if err == nil {
		err = os.WriteFile(to, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
