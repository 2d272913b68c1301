package events_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/boltdb/boltdbtest"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/internal/kit/rpc/rpctest"
	"github.com/sojournhq/sojourn/internal/kit/soundness"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
	"github.com/sojournhq/sojourn/services/events"
)

// stopped is the data of a service that many calls of two workspaces were recorded in, some twice, and that was stopped.
func stopped(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	service, err := events.Open(t.Context(), events.Config{Dir: dir}, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	conn, stop := rpctest.Serve(t, service)
	defer stop()
	dice := rand.New(rand.NewPCG(1, 2))
	for _, workspace := range []string{"v", "w"} {
		r := &eventsv1.RecordCallsRequest{Workspace: workspace}
		for i := range 300 {
			at := noon.Add(time.Duration(dice.IntN(100)) * time.Hour).UnixMilli()
			r.Calls = append(r.Calls, &segmentv1.Call{
				Type: segmentv1.CallType_CALL_TYPE_TRACK, MessageId: fmt.Sprint("m", i%290), TimeMs: at, OriginalTimeMs: at,
				UserId: fmt.Sprint("u", dice.IntN(9)), AccountId: []string{"", "a", "b"}[dice.IntN(3)],
				Module: []string{"", "m", "n"}[dice.IntN(3)], Feature: fmt.Sprint("f", dice.IntN(5)),
			})
		}
		r.Calls = append(r.Calls, &segmentv1.Call{
			Type: segmentv1.CallType_CALL_TYPE_ALIAS, MessageId: "alias", TimeMs: noon.UnixMilli(), UserId: "u1", PreviousId: "u2",
		})
		for _, part := range [][]*segmentv1.Call{r.GetCalls()[100:], r.GetCalls()[:200]} {
			if _, err := eventsv1.NewIngestServiceClient(conn).RecordCalls(t.Context(),
				&eventsv1.RecordCallsRequest{Workspace: workspace, Calls: part}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

func verify(t *testing.T, dir string) (problems []string) {
	t.Helper()
	err := events.Verify(t.Context(), events.Config{Dir: dir}, func(p soundness.Problem) { problems = append(problems, p.String()) })
	if err != nil {
		t.Fatal(err)
	}
	return problems
}

func TestWhatWasRecordedIsSound(t *testing.T) {
	if problems := verify(t, stopped(t)); len(problems) > 0 {
		t.Errorf("%d problems, the first: %s", len(problems), problems[0])
	}
}

// first returns the first row of a table whose key begins with a prefix.
func first(b *boltdb.Bucket, prefix string) (key, value []byte) {
	key, value = b.Cursor().Seek([]byte(prefix))
	return append([]byte(nil), key...), append([]byte(nil), value...)
}

func TestWhateverIsDamagedIsNamed(t *testing.T) {
	flip := func(value []byte) []byte { value[0] ^= 1; return value }
	resealed := func(key, sealed []byte) []byte { // another value, whole in itself
		return record.Seal(key, append([]byte{8, 0x7f}, sealed[2:len(sealed)-4]...))
	}
	for name, c := range map[string]struct {
		damage func(tables map[string]*boltdb.Bucket) error
		names  string
	}{
		"a link that is older than an event says": {func(of map[string]*boltdb.Bucket) error {
			key, _ := first(of["links"], "u")
			return of["links"].Put(key, record.Seal(key, make([]byte, 8)))
		}, "and the link to it is of 0"},
		"a link that is missing both ways": {func(of map[string]*boltdb.Bucket) error {
			user, _ := first(of["links"], "u")
			account, _ := first(of["links"], "a")
			return errors.Join(of["links"].Delete(user), of["links"].Delete(account))
		}, "and no link to it"},
		"a value of an event": {func(of map[string]*boltdb.Bucket) error {
			key, value := first(of["events"], "")
			return of["events"].Put(key, flip(value))
		}, "workspaces/w/events: corrupt record"},
		"a value of a sum": {func(of map[string]*boltdb.Bucket) error {
			key, value := first(of["usage"], "")
			return of["usage"].Put(key, flip(value))
		}, "workspaces/w/usage: corrupt record"},
		"a sum that is whole but wrong": {func(of map[string]*boltdb.Bucket) error {
			key, value := first(of["usage"], "")
			return of["usage"].Put(key, resealed(key, value))
		}, "uses are counted as 127"},
		"a sum that is missing": {func(of map[string]*boltdb.Bucket) error {
			key, _ := first(of["usage"], "")
			return of["usage"].Delete(key)
		}, "uses are not counted, under key"},
		"an event that is missing": {func(of map[string]*boltdb.Bucket) error {
			key, _ := first(of["events"], "")
			return of["events"].Delete(key)
		}, "workspaces/w/usage: "},
		"all events of a day that are missing": {func(of map[string]*boltdb.Bucket) error {
			day := noon.UnixMilli() / 86_400_000
			cursor := of["events"].Cursor()
			for key, _ := cursor.First(); key != nil; key, _ = cursor.First() {
				ms := int64(key[0])<<40 | int64(key[1])<<32 | int64(key[2])<<24 | int64(key[3])<<16 | int64(key[4])<<8 | int64(key[5])
				if ms/86_400_000 != day {
					break
				}
				if err := of["events"].Delete(key); err != nil {
					return err
				}
			}
			return nil
		}, "uses are counted that are not there"},
		"a row of no event": {func(of map[string]*boltdb.Bucket) error {
			return of["events"].Put([]byte("?"), []byte("?"))
		}, "workspaces/w/events: event: corrupt record"},
		"an event of no possible time": {func(of map[string]*boltdb.Bucket) error {
			_, value := first(of["events"], "")
			key := []byte("\xff\xff\xff\xff\xff\xff\x00\x00m")
			return of["events"].Put(key, record.Seal(key, value[:len(value)-4]))
		}, "no possible time"},
		"a name": {func(of map[string]*boltdb.Bucket) error {
			key, value := first(of["names"], "n")
			return of["names"].Put(key, flip(value))
		}, "workspaces/w/names: corrupt record"},
		"a name without its number": {func(of map[string]*boltdb.Bucket) error {
			key, _ := first(of["names"], "i")
			return of["names"].Delete(key)
		}, "does not lead back to its name"},
		"a number without its name": {func(of map[string]*boltdb.Bucket) error {
			key, _ := first(of["names"], "n")
			return of["names"].Delete(key)
		}, "does not lead back to it"},
		"a name with the number of another": {func(of map[string]*boltdb.Bucket) error {
			key, value := first(of["names"], "nf")
			return of["names"].Put(key, record.Seal(key, []byte{0, 0, 0, value[3]%9 + 1}))
		}, "does not lead back to its name"},
		"an event whose feature has no name": {func(of map[string]*boltdb.Bucket) error {
			for prefix := range map[string]int{"i": 0, "nf": 0} {
				for key, _ := first(of["names"], prefix); strings.HasPrefix(string(key), prefix); key, _ = first(of["names"], prefix) {
					if err := of["names"].Delete(key); err != nil {
						return err
					}
				}
			}
			return nil
		}, `is no name of kind 'f', under key`},
		"a link that stands one way round": {func(of map[string]*boltdb.Bucket) error {
			key, _ := first(of["links"], "u")
			return of["links"].Delete(key)
		}, "workspaces/w/links: the link under key"},
		"the time of a link of two users": {func(of map[string]*boltdb.Bucket) error {
			key, _ := first(of["links"], "s")
			return of["links"].Put(key, record.Seal(key, make([]byte, 8)))
		}, "does not stand the other way round"},
		"a link without a time": {func(of map[string]*boltdb.Bucket) error {
			key, _ := first(of["links"], "u")
			return of["links"].Put(key, record.Seal(key, nil))
		}, "a row that is no link"},
		"a row of no link": {func(of map[string]*boltdb.Bucket) error {
			return of["links"].Put([]byte("x"), record.Seal([]byte("x"), nil))
		}, "a row that is no link"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := stopped(t)
			boltdbtest.Change(t, filepath.Join(dir, events.File), func(tx *boltdb.Tx) error {
				mine, tables := tx.Bucket([]byte("workspaces")).Bucket([]byte("w")), map[string]*boltdb.Bucket{}
				for _, table := range []string{"events", "usage", "names", "links"} {
					tables[table] = mine.Bucket([]byte(table))
				}
				return c.damage(tables)
			})
			problems := verify(t, dir)
			if !strings.Contains(strings.Join(problems, "\n"), c.names) {
				t.Errorf("found %q, want %q", problems, c.names)
			}
			for _, p := range problems {
				if !strings.HasPrefix(p, "workspaces/w/") {
					t.Errorf("found %q in what is sound", p)
				}
			}
		})
	}
}

func TestATableOrWorkspaceThatIsNoneIsNamed(t *testing.T) {
	dir := stopped(t)
	path := filepath.Join(dir, events.File)
	boltdbtest.DeleteBucket(t, path, "workspaces", "v", "usage")
	boltdbtest.Change(t, path, func(tx *boltdb.Tx) error { return tx.Bucket([]byte("workspaces")).Put([]byte("x"), []byte("?")) })
	got := strings.Join(verify(t, dir), "\n")
	if want := "workspaces/v: there is no table \"usage\"\nworkspaces/x: 1 bytes where a workspace belongs"; got != want {
		t.Errorf("found %q, want %q", got, want)
	}
}

func TestDataThatCannotBeLookedAtIsAnErrorAndAnEmptyStoreIsSound(t *testing.T) {
	ignore := func(soundness.Problem) {}
	dir := t.TempDir()
	if err := events.Verify(t.Context(), events.Config{Dir: dir}, ignore); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	service, err := events.Open(t.Context(), events.Config{Dir: dir}, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	if err := events.Verify(t.Context(), events.Config{Dir: dir}, ignore); !errors.Is(err, boltdb.ErrLocked) {
		t.Errorf("a file in use: %v", err)
	}
	if err := service.Close(); err != nil {
		t.Fatal(err)
	}
	if problems := verify(t, dir); len(problems) > 0 {
		t.Errorf("an empty store: %q", problems)
	}
	before, _ := os.ReadFile(filepath.Join(dir, "events.db"))
	verify(t, dir)
	if after, _ := os.ReadFile(filepath.Join(dir, "events.db")); string(after) != string(before) {
		t.Error("looking changed the file")
	}
}
