package sessions_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/boltdb/boltdbtest"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/internal/kit/soundness"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
	"github.com/sojournhq/sojourn/services/sessions"
)

// stopped is the data of a service that was stopped: of two workspaces, some sessions ended and told and some running, one of them with
// more modules than its row holds.
func stopped(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	c := start(t, dir)
	for _, workspace := range []string{"v", "w"} {
		r := &sessionsv1.RecordCallsRequest{Workspace: workspace}
		for i := range 100 {
			at := time.Now().Add(time.Duration(i) * time.Second)
			if i < 50 {
				at = time.Unix(int64(i*1000), 0)
			}
			r.Calls = append(r.Calls, track(fmt.Sprint("m", i), at, func(c *segmentv1.Call) { c.Module = fmt.Sprint("module ", i) }))
		}
		if _, err := c.RecordCalls(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		// Until the sessions that have ended are told.
		stream, err := c.WatchSessions(t.Context(), &sessionsv1.WatchSessionsRequest{Workspace: workspace})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
	}
	c.stop()
	return dir
}

func verify(t *testing.T, dir string) (problems []string) {
	t.Helper()
	err := sessions.Verify(t.Context(), sessions.Config{Dir: dir}, func(p soundness.Problem) { problems = append(problems, p.String()) })
	if err != nil {
		t.Fatal(err)
	}
	return problems
}

// last returns the last row of a table.
func last(b *boltdb.Bucket) (key, value []byte) {
	key, value = b.Cursor().Last()
	return bytes.Clone(key), bytes.Clone(value)
}

// eachLink does something to every link.
func eachLink(links *boltdb.Bucket, do func(key []byte) error) error {
	var keys [][]byte
	err := links.ForEach(func(key, _ []byte) error {
		keys = append(keys, bytes.Clone(key))
		return nil
	})
	for _, key := range keys {
		err = errors.Join(err, do(key))
	}
	return err
}

func TestWhateverIsDamagedIsNamed(t *testing.T) {
	dir := stopped(t)
	if problems := verify(t, dir); len(problems) > 0 {
		t.Fatalf("%d problems in what is sound, the first: %s", len(problems), problems[0])
	}
	whole := filepath.Join(dir, sessions.File)
	// other is a value, whole in itself, that is not the one that was stored: one field more than before.
	other := func(key, sealed []byte, field ...byte) []byte {
		return record.Seal(key, append(bytes.Clone(sealed[:len(sealed)-4]), field...))
	}
	type damage func(table func(string) *boltdb.Bucket) error
	change := func(name string, field ...byte) damage {
		return func(table func(string) *boltdb.Bucket) error {
			key, value := last(table(name))
			return table(name).Put(key, other(key, value, field...))
		}
	}
	remove := func(name string) damage {
		return func(table func(string) *boltdb.Bucket) error {
			key, _ := last(table(name))
			return table(name).Delete(key)
		}
	}
	for name, c := range map[string]struct {
		damage damage
		names  string
	}{
		"a point's value": {func(table func(string) *boltdb.Bucket) error {
			key, value := last(table("points"))
			value[0] ^= 1
			return table("points").Put(key, value)
		}, "workspaces/w/points: "},
		"a point that is missing":        {remove("points"), "workspaces/w/sessions: a session that starts at"},
		"a point's module":               {change("points", 1<<3, 1), "is not what its points make it"},
		"a session that is missing":      {remove("sessions"), "is in no session"},
		"a session's number of points":   {change("sessions", 6<<3, 1), "is not what its points make it"},
		"a session's end":                {change("sessions", 1<<3, 1), "workspaces/w/"},
		"a session's settings":           {change("sessions", 12<<3, 2), "rules"},
		"a part in the table":            {change("parts", 3<<3, 1), "is not what its points make it"},
		"a part that is missing":         {remove("parts"), "is not what its points make it"},
		"a day's sums":                   {change("days", 1<<3, 9), "workspaces/w/days: account"},
		"a day that is missing":          {remove("days"), "the sums of 1 days are not those of the sessions"},
		"an entry of the index by start": {remove("by_start"), "workspaces/w/by_start: a session that starts at"},
		"an entry of the index by owner": {remove("by_owner"), "workspaces/w/by_owner: a session that starts at"},
		"a change that is missing":       {remove("feed"), "workspaces/w/feed: the changes end at"},
		"a timer that is missing":        {remove("timers"), "waits for no timer"},
		"a name":                         {remove("names"), "workspaces/w/names: "},
		"a link":                         {remove("links"), "workspaces/w/links: "},
		"a link that is missing both ways": {func(table func(string) *boltdb.Bucket) error {
			return eachLink(table("links"), func(key []byte) error { return table("links").Delete(key) })
		}, "workspaces/w/links: user "},
		"a link's time": {func(table func(string) *boltdb.Bucket) error {
			return eachLink(table("links"), func(key []byte) error {
				return table("links").Put(key, record.Seal(key, binary.BigEndian.AppendUint64(nil, 1)))
			})
		}, "and the link to it is of 1"},
		"an entry of no session": {func(table func(string) *boltdb.Bucket) error {
			return table("by_start").Put([]byte("?"), record.Seal([]byte("?"), nil))
		}, "workspaces/w/by_start: "},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			copyFile(t, whole, filepath.Join(dir, sessions.File))
			path := filepath.Join(dir, sessions.File)
			boltdbtest.Change(t, path, func(tx *boltdb.Tx) error {
				return c.damage(func(table string) *boltdb.Bucket {
					switch w := tx.Bucket([]byte("workspaces")).Bucket([]byte("w")); table {
					case "timers":
						return tx.Bucket([]byte("timers"))
					default:
						return w.Bucket([]byte(table))
					}
				})
			})
			problems := strings.Join(verify(t, dir), "\n")
			if !strings.Contains(problems, c.names) {
				t.Errorf("found %q, want %q", problems, c.names)
			}
			boltdbtest.DeleteBucket(t, path, "workspaces", "w", "gone")
			if problems := strings.Join(verify(t, dir), "\n"); !strings.Contains(problems, "workspaces/w/gone: there is no such table") {
				t.Errorf("found %q, when the table was gone", problems)
			}
		})
	}
}

func TestDataThatIsNotThereIsAnErrorAndAnEmptyStoreIsSound(t *testing.T) {
	dir := t.TempDir()
	err := sessions.Verify(t.Context(), sessions.Config{Dir: dir}, func(p soundness.Problem) { t.Error(p) })
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	start(t, dir).stop()
	if problems := verify(t, dir); len(problems) > 0 {
		t.Errorf("an empty store: %q", problems)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
