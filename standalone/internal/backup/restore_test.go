package backup_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/standalone/internal/backup"
	"github.com/sojournhq/sojourn/standalone/internal/setup"
)

// workspacesOf is a configuration with an admin token, as it stands in a file.
func workspacesOf(admin string) string {
	return "admin_tokens: [" + admin + "]\nworkspaces: [{id: w, query_tokens: [], sources: []}]\n"
}

// backedUp takes a backup of data with a row, and of a workspaces file with an admin token, unless there is to be none.
func backedUp(t *testing.T, row, admin string) string {
	t.Helper()
	data := stopped(t)
	puts(t, data, row)
	if admin != "" {
		if err := os.WriteFile(filepath.Join(data, setup.File), []byte(workspacesOf(admin)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return take(t, stoppedIn(data), backup.Options{Dir: t.TempDir()})
}

// admits says whether a workspaces file has an admin token.
func admits(t *testing.T, path, admin string) bool {
	t.Helper()
	config, err := workspace.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return len(config.AdminTokens) == 1 && config.AdminTokens[0].Equal(workspace.NewSecret(admin))
}

// killedAt leaves what a restore leaves that is killed before the first step that begins like this.
func killedAt(t *testing.T, r backup.Restoring, before, step string) string {
	t.Helper()
	_, steps, _ := kill(t, r, before, -1)
	at := slices.IndexFunc(steps, func(s string) bool { return strings.HasPrefix(s, step) })
	if at < 0 {
		t.Fatalf("%q is no step of %q", step, steps)
	}
	dir, _, _ := kill(t, r, before, at)
	return dir
}

// placingFirst begins the step before which nothing has been changed, and the directory is marked as if it were.
const placingFirst = "renew /.restore-"

// afterWorkspaces leaves what a restore leaves that is killed when everything is in place, and the mark is still there.
func afterWorkspaces(t *testing.T, r backup.Restoring, before string) string {
	t.Helper()
	return killedAt(t, r, before, "remove /restoring.json")
}

func TestAnotherBackupIsRestoredOverARestoreThatWasKilledKeysAmongIt(t *testing.T) {
	one, two, none := backedUp(t, "one", "admin-token-of-one"), backedUp(t, "two", "admin-token-of-two"), backedUp(t, "none", "")
	for name, from := range map[string]string{"another": two, "one without keys": none} {
		dir := afterWorkspaces(t, backup.Restoring{From: one}, "")
		if !admits(t, filepath.Join(dir, setup.File), "admin-token-of-one") || stateOf(dir) != "refused" {
			t.Fatalf("the first restore left %s", stateOf(dir))
		}
		done, err := backup.Restore(t.Context(), backup.Restoring{From: from, Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		switch path := filepath.Join(dir, setup.File); name {
		case "another":
			if stateOf(dir) != "two" || done.Workspaces != backup.Written || !admits(t, path, "admin-token-of-two") {
				t.Errorf("%s: the data is %s, the workspaces are %v", name, stateOf(dir), done)
			}
		default:
			if _, err := os.Stat(path); stateOf(dir) != "none" || done.Workspaces != backup.Absent || !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s: the data is %s, the workspaces are %v, %v", name, stateOf(dir), done, err)
			}
		}
	}
}

func TestAWorkspacesFileThatIsThereStaysUnlessItIsAskedFor(t *testing.T) {
	from := backedUp(t, "new", "admin-token-of-backup")
	for name, dir := range map[string]string{
		"a first restore": t.TempDir(),
		"over one that was killed, and a file that was put there since": func() string {
			dir := afterWorkspaces(t, backup.Restoring{From: from}, "")
			return dir
		}(),
	} {
		path := filepath.Join(dir, setup.File)
		if err := os.WriteFile(path, []byte(workspacesOf("admin-token-of-mine")), 0o600); err != nil {
			t.Fatal(err)
		}
		done, err := backup.Restore(t.Context(), backup.Restoring{From: from, Dir: dir, Replace: true})
		if err != nil || done.Workspaces != backup.Kept || !admits(t, path, "admin-token-of-mine") {
			t.Errorf("%s: %v, %v", name, done, err)
		}
		alone := backup.Restoring{From: from, Dir: dir, Only: "workspaces"}
		if _, err := backup.Restore(t.Context(), alone); err == nil || !strings.Contains(err.Error(), "-force") || !admits(t, path, "admin-token-of-mine") {
			t.Errorf("%s: asked for, but not to replace it: %v", name, err)
		}
		alone.Replace = true
		if done, err := backup.Restore(t.Context(), alone); err != nil || done.Workspaces != backup.Written || !admits(t, path, "admin-token-of-backup") {
			t.Errorf("%s: asked for: %v, %v", name, done, err)
		}
	}
}

func TestAWorkspacesFileIsRestoredWhereItIsNamed(t *testing.T) {
	from := backedUp(t, "new", "admin-token-of-backup")
	path := filepath.Join(t.TempDir(), "etc", "sojourn", "who.yaml")
	dir := t.TempDir()
	done, err := backup.Restore(t.Context(), backup.Restoring{From: from, Dir: dir, Workspaces: path})
	if err != nil || done.WorkspacesPath != path || !admits(t, path, "admin-token-of-backup") {
		t.Errorf("%v, %v", done, err)
	}
	if got := names(t, dir); slices.Contains(got, setup.File) {
		t.Errorf("there is %q", got)
	}
}

func TestARestoreOfOneKindDoesNotEndOneOfAllThatWasKilled(t *testing.T) {
	from := backedUp(t, "new", "")
	dir := killedAt(t, backup.Restoring{From: from}, "", placingFirst)
	r := backup.Restoring{From: from, Dir: dir, Only: "events", Replace: true}
	if _, err := backup.Restore(t.Context(), r); !errors.Is(err, boltdb.ErrRestoring) || !strings.Contains(err.Error(), "identity.db, events.db, sessions.db") {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "restoring.json"), []byte("{"), 0o600); err != nil { // of which nothing is known
		t.Fatal(err)
	}
	if _, err := backup.Restore(t.Context(), r); !errors.Is(err, boltdb.ErrRestoring) {
		t.Errorf("got %v", err)
	}
	if r.Only = ""; stateOf(dir) != "refused" {
		t.Errorf("the data is %s", stateOf(dir))
	}
	if _, err := backup.Restore(t.Context(), r); err != nil || stateOf(dir) != "new" {
		t.Errorf("the data is %s, %v", stateOf(dir), err)
	}
}

// TestARestoreThatFailsBeforeItChangesAnythingLeavesDataThatStarts also lets one fail over one that was killed before it changed anything,
// and over one that was killed later: that one stays refused.
func TestARestoreThatFailsBeforeItChangesAnythingLeavesDataThatStarts(t *testing.T) {
	old := stopped(t)
	puts(t, old, "old")
	good := backedUp(t, "new", "")
	damaged := backedUp(t, "new", "")
	if err := os.Truncate(filepath.Join(damaged, "sessions.db"), 100); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ dir, want string }{
		"over data":                          {old, "old"},
		"over one that had changed nothing":  {killedAt(t, backup.Restoring{From: good, Replace: true}, old, "create /.restore-"), "old"},
		"over one that had begun to replace": {killedAt(t, backup.Restoring{From: good, Replace: true}, old, placingFirst), "refused"},
	} {
		_, err := backup.Restore(t.Context(), backup.Restoring{From: damaged, Dir: c.dir, Replace: true})
		if err == nil || stateOf(c.dir) != c.want {
			t.Errorf("%s: %v, and the data is %s, want %s", name, err, stateOf(c.dir), c.want)
		}
		for _, left := range names(t, c.dir) {
			if strings.HasPrefix(left, ".") {
				t.Errorf("%s: %s is left", name, left)
			}
		}
	}
}

func TestARestoreThatChangedNothingYetReplacesNoDataUnasked(t *testing.T) {
	old := stopped(t)
	puts(t, old, "old")
	from := backedUp(t, "new", "")
	dir := killedAt(t, backup.Restoring{From: from, Replace: true}, old, "create /.restore-")
	if err := boltdb.Unfinished(dir); !errors.Is(err, boltdb.ErrRestoring) || !strings.Contains(err.Error(), "remove restoring.json") {
		t.Errorf("it says %v", err)
	}
	if _, err := backup.Restore(t.Context(), backup.Restoring{From: from, Dir: dir}); err == nil || !strings.Contains(err.Error(), "-force") {
		t.Errorf("run again without -force: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "restoring.json")); err != nil {
		t.Fatal(err)
	}
	if state := stateOf(dir); state != "old" {
		t.Errorf("the data is %s", state)
	}
}
