package crash

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/services/events"
	"github.com/sojournhq/sojourn/services/identity"
	"github.com/sojournhq/sojourn/services/sessions"
	"github.com/sojournhq/sojourn/tests/disk/mounted"
	"github.com/sojournhq/sojourn/tests/disk/volume"
)

// restored are the kinds of stores that a restore brings back, opened for reading only.
func restored() map[string]func(ctx context.Context, dir string) (store, error) {
	return map[string]func(ctx context.Context, dir string) (store, error){
		"identity": func(ctx context.Context, dir string) (store, error) {
			s, err := identity.Open(ctx, identity.Config{Dir: dir, ReadOnly: true}, observe.Discard())
			if err != nil {
				return nil, err
			}
			return identityStore{closer: s, rpcs: registered(s)}, nil
		},
		"events": func(ctx context.Context, dir string) (store, error) {
			s, err := events.Open(ctx, events.Config{Dir: dir, ReadOnly: true}, observe.Discard())
			if err != nil {
				return nil, err
			}
			return eventsStore{closer: s, rpcs: registered(s)}, nil
		},
		"sessions": func(ctx context.Context, dir string) (store, error) {
			s, err := sessions.Open(ctx, sessions.Config{Dir: dir, ReadOnly: true}, observe.Discard())
			if err != nil {
				return nil, err
			}
			return sessionsStore{closer: s, rpcs: registered(s)}, nil
		},
	}
}

// The senders whose steps old data and restored data have.
const (
	ofOld = 0
	ofNew = 1
)

// filled makes data of a sender's steps in a directory and, where unclean, leaves it as a killed process does.
func filled(t *testing.T, sender int, unclean bool) string {
	t.Helper()
	dir, left := t.TempDir(), filepath.Join(t.TempDir(), "left")
	for name := range restored() {
		s, err := subjects()[name].open(t.Context(), dir, observe.Discard())
		for step := 0; err == nil && step < 6; step++ {
			err = s.step(t.Context(), *seedFlag, sender, step)
		}
		if err == nil && unclean {
			err = os.CopyFS(left, onlyOf(dir, name+".db"))
		}
		if err = errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if !unclean {
		return dir
	}
	text, err := os.ReadFile(filepath.Join(dir, "stores.json"))
	if err := errors.Join(err, os.WriteFile(filepath.Join(left, "stores.json"), text, 0o600)); err != nil {
		t.Fatal(err)
	}
	return left
}

// onlyOf is what of a directory has names that begin like this.
func onlyOf(dir, prefix string) fs.FS { return only{os.DirFS(dir), prefix} }

type only struct {
	fs.FS

	prefix string
}

// ReadDir implements fs.ReadDirFS.
func (o only) ReadDir(name string) ([]fs.DirEntry, error) {
	all, err := fs.ReadDir(o.FS, name)
	return slices.DeleteFunc(all, func(e fs.DirEntry) bool { return !strings.HasPrefix(e.Name(), o.prefix) }), err
}

// expectations are what each store holds of old and of restored data.
type expectations map[string][2]string

func expected(t *testing.T, dirs ...string) expectations {
	t.Helper()
	e := expectations{}
	for sender, dir := range dirs {
		for name := range restored() {
			got, err := stateIn(t.Context(), name, dir)
			if err != nil {
				t.Fatal(err)
			}
			both := e[name]
			both[sender] = got
			e[name] = both
		}
	}
	for name, both := range e {
		if both[ofOld] == both[ofNew] {
			t.Fatalf("old and new %s are the same", name)
		}
	}
	return e
}

// stateIn is everything that can be asked of a store in a directory about old and restored data.
func stateIn(ctx context.Context, name, dir string) (all string, err error) {
	s, err := restored()[name](ctx, dir)
	if err != nil {
		return "", err
	}
	for _, sender := range []int{ofOld, ofNew} {
		text, stateErr := s.state(ctx, sender)
		all, err = all+text+"\x00", errors.Join(err, stateErr)
	}
	return all, errors.Join(err, s.Close())
}

// verdict says what a directory is: of one moment, or refused, or else what each store is.
func (e expectations) verdict(ctx context.Context, dir string) string {
	are := map[string]string{}
	for name := range restored() {
		got, err := stateIn(ctx, name, dir)
		switch {
		case errors.Is(err, boltdb.ErrRestoring):
			are[name] = "refused"
		case errors.Is(err, fs.ErrNotExist):
			are[name] = "none"
		case err != nil:
			are[name] = err.Error()
		case got == e[name][ofOld]:
			are[name] = "old"
		case got == e[name][ofNew]:
			are[name] = "new"
		default:
			are[name] = "neither old nor new"
		}
	}
	if all := slices.Compact(slices.Sorted(maps.Values(are))); len(all) == 1 {
		return all[0]
	}
	return fmt.Sprint(are)
}

// recordRestore has the real program restore a backup on a volume that holds a directory, and returns what it did.
func recordRestore(t *testing.T, sojourn, backup, before string) recording {
	t.Helper()
	tree := volume.Tree{}
	if before != "" {
		for _, e := range must(os.ReadDir(before)) {
			tree[e.Name()] = must(os.ReadFile(filepath.Join(before, e.Name())))
		}
	}
	v, log := tree.Load()
	m, err := mounted.New(t.TempDir(), v, mounted.Options{Log: true})
	if err != nil {
		t.Fatal(err)
	}
	out, failed := exec.Command(sojourn, "restore", "-force", "-from", backup, "-data", m.Data()).CombinedOutput()
	done, err := m.Unmount()
	if failed != nil || err != nil {
		t.Fatalf("%v %v: %s", failed, err, out)
	}
	return recording{Log: append(log, done...), Before: len(log)}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// lookAt counts the verdicts on states that a kill leaves, and on some that a crash could leave, after each operation.
func (e expectations) lookAt(t *testing.T, r recording, crashes int, how func(*rand.Rand) volume.Loss) map[string]int {
	t.Helper()
	chance := rand.New(rand.NewPCG(*seedFlag, 77))
	dir := filepath.Join(scratch(t), "data")
	counts := map[string]int{}
	v := volume.New()
	for n, op := range r.Log {
		if v.Apply(op); n+1 < r.Before {
			continue
		}
		for i := range 1 + crashes {
			tree := v.Tree()
			if i > 0 {
				tree = v.Crash(chance, how(chance))
			}
			if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700), tree.Store(dir)); err != nil {
				t.Fatal(err)
			}
			counts[e.verdict(t.Context(), dir)]++
		}
	}
	return counts
}

// without is a recording in which some operations were never done.
func (r recording) without(drop func(volume.Op) bool) recording {
	left := slices.DeleteFunc(slices.Clone(r.Log[r.Before:]), drop)
	return recording{Log: append(slices.Clone(r.Log[:r.Before]), left...), Before: r.Before}
}

// TestARestoreIsRefusedOrWholeInEveryStateThatACrashLeavesOfIt kills it, and cuts its power, at every operation that the program does. It
// also finds out that without the mark, and without syncs, that would not be so.
func TestARestoreIsRefusedOrWholeInEveryStateThatACrashLeavesOfIt(t *testing.T) {
	if need := mounted.Missing(); need != "" {
		t.Skip("needs " + need)
	}
	sojourn := filepath.Join(t.TempDir(), "sojourn")
	if out, err := exec.Command("go", "build", "-o", sojourn, "../../../standalone/cmd/sojourn").CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v: %s", err, out)
	}
	old, fresh, backups := filled(t, ofOld, true), filled(t, ofNew, false), t.TempDir()
	if out, err := exec.Command(sojourn, "backup", "-data", fresh, "-out", backups).CombinedOutput(); err != nil {
		t.Fatalf("back up: %v: %s", err, out)
	}
	e := expected(t, old, fresh)
	crashes := max(1, *statesFlag/800)
	half := func(*rand.Rand) volume.Loss { return volume.Loss{Keep: 0.5} }
	for name, c := range map[string]struct{ before, was string }{"over what was killed": {old, "old"}, "on an empty disk": {"", "none"}} {
		t.Run(name, func(t *testing.T) {
			r := recordRestore(t, sojourn, backups, c.before)
			counts := e.lookAt(t, r, crashes, volume.AnyLoss)
			t.Logf("seed %d: %d operations, %v", *seedFlag, len(r.Log)-r.Before, counts)
			for verdict := range counts {
				if !slices.Contains([]string{"refused", c.was, "new"}, verdict) {
					t.Errorf("%d states are %s", counts[verdict], verdict)
				}
			}
			if counts["refused"] < 50 || counts[c.was] < 3 || counts["new"] < 2 {
				t.Error("that is fewer than there must be to prove anything")
			}
			for what, drop := range map[string]func(volume.Op) bool{
				"the mark": func(op volume.Op) bool { return op.Kind == volume.Rename && op.To == "restoring.json" },
				"syncs":    func(op volume.Op) bool { return op.Kind == volume.Sync },
			} {
				found := e.lookAt(t, r.without(drop), 1, half)
				delete(found, "refused")
				delete(found, c.was)
				if delete(found, "new"); len(found) == 0 {
					t.Errorf("without %s nobody noticed", what)
				}
			}
		})
	}
}
