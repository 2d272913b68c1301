package backup_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/standalone"
	"github.com/sojournhq/sojourn/standalone/internal/backup"
	"github.com/sojournhq/sojourn/standalone/internal/setup"
)

var errKilled = errors.New("killed")

// scratch is a directory in memory where there is one: restores sync all the time.
func scratch(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "sojourn-restore-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// puts writes one row into each data file of a directory.
func puts(t *testing.T, dir, row string) {
	t.Helper()
	for _, o := range files(dir) {
		db, err := boltdb.Open(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(putRow(t, db, row), db.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func putRow(t *testing.T, db *boltdb.DB, row string) error {
	t.Helper()
	return db.Update(t.Context(), func(tx *boltdb.Tx) error {
		b, err := boltdb.Make(tx, [][]byte{[]byte("meant")}, []byte("rows"))
		if err != nil {
			return err
		}
		return b.Bucket([]byte("rows")).Put([]byte("row"), []byte(row))
	})
}

// rowOf returns the row in a data file, or why that cannot be opened.
func rowOf(o boltdb.Options) (row string, err error) {
	o.ReadOnly = true
	db, err := boltdb.Open(o)
	if err != nil {
		return "", err
	}
	err = db.View(func(tx *boltdb.Tx) error {
		if b := boltdb.Find(tx, []byte("meant"), []byte("rows")); b != nil {
			row = string(b.Get([]byte("row")))
		}
		return nil
	})
	return row, errors.Join(err, db.Close())
}

// stateOf returns which rows the data files of a directory have, "none" if it has no file, or "refused" if a restore has not finished.
func stateOf(dir string) string {
	var rows []string
	refused, absent := 0, 0
	for _, o := range files(dir) {
		row, err := rowOf(o)
		switch {
		case errors.Is(err, boltdb.ErrRestoring):
			refused++
		case errors.Is(err, fs.ErrNotExist):
			absent++
		case err != nil:
			rows = append(rows, err.Error())
		case !slices.Contains(rows, row):
			rows = append(rows, row)
		}
	}
	switch {
	case refused == 3:
		return "refused"
	case absent == 3:
		return "none"
	case refused > 0 || absent > 0:
		return fmt.Sprintf("%d refused, %d absent, and %q", refused, absent, rows)
	}
	return strings.Join(rows, " and ")
}

// killed leaves what an unclean end leaves of a directory: logs beside the data files.
func killed(t *testing.T, dir, row string) string {
	t.Helper()
	left := filepath.Join(scratch(t), "left")
	var open []*boltdb.DB
	for _, o := range files(dir) {
		db, err := boltdb.Open(o)
		if err == nil {
			open, err = append(open, db), putRow(t, db, row)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	copyDir(t, dir, left)
	for _, db := range open {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if names := strings.Join(names(t, left), " "); !strings.Contains(names, "events.db.log-") {
		t.Fatalf("there are no logs: %s", names)
	}
	return left
}

func copyDir(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}

// printOf returns what tells two states of a directory apart.
func printOf(t *testing.T, dir string) string {
	t.Helper()
	var found strings.Builder
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			_, _ = fmt.Fprintln(&found, path, err)
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintln(&found, path, info.Size(), info.ModTime().UnixNano())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found.String()
}

// kill restores in a copy of a directory and is killed before its step number at. It returns the copy, the steps that were made, and
// whether the restore came to its end.
func kill(t *testing.T, r backup.Restoring, before string, at int) (dir string, steps []string, finished bool) {
	t.Helper()
	r.Dir = filepath.Join(scratch(t), "data")
	if before != "" {
		copyDir(t, before, r.Dir)
	}
	left := ""
	r.Steps = func(step string) error {
		if left != "" {
			return errKilled
		}
		if len(steps) == at {
			left = printOf(t, r.Dir)
			return errKilled
		}
		steps = append(steps, strings.ReplaceAll(step, r.Dir, ""))
		return nil
	}
	_, err := backup.Restore(t.Context(), r)
	if err != nil && !errors.Is(err, errKilled) {
		t.Fatalf("killed before step %d: %v", at, err)
	}
	if left != "" && printOf(t, r.Dir) != left {
		t.Fatalf("after step %d something was changed that is no step:\n%s\n%s", at, left, printOf(t, r.Dir))
	}
	return r.Dir, steps, err == nil
}

// enumerate kills a restore before each of its steps and hands look what that left. It returns all steps.
func enumerate(t *testing.T, r backup.Restoring, before string, look func(dir, at string)) []string {
	t.Helper()
	for n := 0; ; n++ {
		dir, steps, finished := kill(t, r, before, n)
		at := "before the first step"
		if n > 0 && len(steps) > 0 {
			at = fmt.Sprintf("after step %d, %s", n, steps[len(steps)-1])
		}
		look(dir, at)
		if finished {
			return steps
		}
	}
}

// restoreCase is a restore of a backup with the rows "new".
type restoreCase struct {
	only    string
	before  string // what is there; "": nothing
	replace bool
	whole   []string // states that may be started
	end     string
}

func restoreCases(t *testing.T) (from string, cases map[string]restoreCase) {
	t.Helper()
	data := stopped(t)
	puts(t, data, "new")
	if err := os.WriteFile(filepath.Join(data, setup.File), []byte(plainWorkspaces), 0o600); err != nil {
		t.Fatal(err)
	}
	from = take(t, stoppedIn(data), backup.Options{Dir: t.TempDir(), Compress: true})
	older := stopped(t)
	puts(t, older, "older") // which the log is about to change
	old := killed(t, older, "old")
	return from, map[string]restoreCase{
		"on an empty machine":      {end: "new", whole: []string{"none"}},
		"over what was not closed": {before: old, replace: true, end: "new", whole: []string{"old"}},
		"of one kind alone":        {before: old, replace: true, only: "events", end: "old and new", whole: []string{"old"}},
	}
}

const plainWorkspaces = "admin_tokens: [an-admin-token-of-old]\nworkspaces: [{id: w, query_tokens: [a-query-token-of-old], sources: [{id: web, write_keys: [a-write-key-of-old]}]}]\n"

// TestARestoreThatIsKilledAtAnyStepLeavesWhatIsRefusedOrWhole also runs it again on each of these states, and looks at what a start does.
func TestARestoreThatIsKilledAtAnyStepLeavesWhatIsRefusedOrWhole(t *testing.T) {
	from, cases := restoreCases(t)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := backup.Restoring{From: from, Only: c.only, Replace: c.replace}
			counts, unmarked := map[string]int{}, 0
			steps := enumerate(t, r, c.before, func(dir, at string) {
				state := stateOf(dir)
				counts[state]++
				if state != "refused" && state != c.end && !slices.Contains(c.whole, state) {
					t.Errorf("%s: the data is %s", at, state)
				}
				again := filepath.Join(scratch(t), "again")
				copyDir(t, dir, again)
				if state := withoutMark(t, dir); state != c.end && !slices.Contains(c.whole, state) {
					unmarked++
				}
				starts(t, dir, at, state)
				runAgain(t, r, again, at, c.end)
			})
			t.Logf("%d steps: %v; without the mark %d would be neither refused nor whole", len(steps), counts, unmarked)
			if len(steps) < 20 || counts["refused"] < len(steps)/3 || counts[c.end] < 2 || counts[c.whole[0]] == 0 || unmarked < 3 {
				t.Errorf("that is fewer than there must be to prove anything: %q", steps)
			}
		})
	}
}

// withoutMark returns what a state would be if restores did not mark the directory.
func withoutMark(t *testing.T, dir string) string {
	t.Helper()
	mark := filepath.Join(dir, "restoring.json")
	text, err := os.ReadFile(mark)
	if errors.Is(err, fs.ErrNotExist) {
		return stateOf(dir)
	}
	if err := errors.Join(err, os.Remove(mark)); err != nil {
		t.Fatal(err)
	}
	state := stateOf(dir)
	if err := os.WriteFile(mark, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return state
}

// starts has a Sojourn started on a state, which is refused as the data is, and otherwise leaves nothing of the restore.
func starts(t *testing.T, dir, at, state string) {
	t.Helper()
	suite, err := standalone.Open(t.Context(), standalone.Config{Dir: dir}, observe.Discard())
	if state == "refused" {
		if _, setupErr := setup.Workspaces(dir); !errors.Is(err, boltdb.ErrRestoring) || !errors.Is(setupErr, boltdb.ErrRestoring) {
			t.Errorf("%s: a start says %v, %v", at, err, setupErr)
		}
		return
	}
	if err != nil {
		t.Errorf("%s: a start says %v", at, err)
		return
	}
	if _, err := setup.Workspaces(dir); state == "new" && err != nil {
		t.Errorf("%s: of the workspaces a start says %v", at, err)
	}
	if err := suite.Close(); err != nil {
		t.Error(err)
	}
	for _, name := range names(t, dir) {
		if strings.HasPrefix(name, ".") || name == "restoring.json" {
			t.Errorf("%s: after a start there is still %s", at, name)
		}
	}
}

// runAgain runs a restore again on what it left.
func runAgain(t *testing.T, r backup.Restoring, dir, at, end string) {
	t.Helper()
	r.Dir, r.Steps = dir, nil
	done, err := backup.Restore(t.Context(), r)
	if err != nil && strings.Contains(err.Error(), "is there already") { // it had come to its end
		r.Replace = true
		done, err = backup.Restore(t.Context(), r)
	}
	if state := stateOf(dir); err != nil || state != end {
		t.Errorf("%s: run again it says %v, and the data is %s", at, err, state)
	}
	for _, name := range names(t, dir) {
		if strings.HasPrefix(name, ".") || name == "restoring.json" {
			t.Errorf("%s: run again, there is still %s", at, name)
		}
	}
	if r.Only != "" {
		return
	}
	if done.Workspaces != backup.Written && done.Workspaces != backup.Kept {
		t.Errorf("%s: run again, the workspaces file was not restored", at)
	}
	if config, err := setup.Load(dir); err != nil || len(config.AdminTokens) != 1 {
		t.Errorf("%s: run again, the workspaces are %v", at, err)
	}
}
