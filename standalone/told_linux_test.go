package standalone_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/rpc/rpctest"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
	"github.com/sojournhq/sojourn/services/identity"
	"github.com/sojournhq/sojourn/services/sessions"
)

// loseWrites has the disk lose all that is written to a store's log from now on, and every sync of it fail: the store's own descriptors of
// the log become such of /dev/null, which takes what is written and cannot be synced.
func loseWrites(t *testing.T, store string) {
	t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = null.Close() }()
	logs, err := filepath.Glob(store + ".log-*")
	if err != nil || len(logs) == 0 {
		t.Fatalf("no log beside %s, %v", store, err)
	}
	for fd := range openFiles(t, logs) {
		if err := syscall.Dup3(int(null.Fd()), fd, syscall.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
	}
}

// openFiles returns the descriptors that this process has of files, of which there must be some.
func openFiles(t *testing.T, names []string) map[int]string {
	t.Helper()
	const here = "/proc/self/fd"
	all, err := os.ReadDir(here)
	if err != nil {
		t.Skipf("needs %s: %v", here, err)
	}
	found := map[int]string{}
	for _, entry := range all {
		name, err := os.Readlink(filepath.Join(here, entry.Name()))
		if err != nil || !slices.Contains(names, name) {
			continue
		}
		var fd int
		if _, err := fmt.Sscan(entry.Name(), &fd); err != nil {
			t.Fatal(err)
		}
		found[fd] = name
	}
	if len(found) == 0 {
		t.Fatalf("nobody has %s open", names)
	}
	return found
}

// dependencies are those of a service, and what says whether its store has stopped.
func dependencies() (d observe.Deps, stopped <-chan error) {
	failed := make(chan error, 1)
	d = observe.Discard()
	d.Fatal = func(err error) { failed <- err }
	return d, failed
}

// listener notes what one watcher is told, until its stream ends.
type listener struct {
	mutex sync.Mutex
	told  []string
}

func (l *listener) note(what string) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.told = append(l.told, what)
}

// all returns everything that the watcher can be told: nothing else is under way.
func (l *listener) all() []string {
	synctest.Wait()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return slices.Clone(l.told)
}

// watch has a watcher told of the ends of sessions of workspace w, from the first on.
func watch(t *testing.T, conn *grpc.ClientConn) *listener {
	t.Helper()
	stream, err := sessionsv1.NewQueryServiceClient(conn).WatchSessions(t.Context(), &sessionsv1.WatchSessionsRequest{Workspace: "w"})
	if err != nil {
		t.Fatal(err)
	}
	l := &listener{}
	go func() {
		for change, err := stream.Recv(); err == nil; change, err = stream.Recv() {
			l.note(fmt.Sprintf("%s in revision %d", change.GetSession().GetAnonymousId(), change.GetSession().GetRevision()))
		}
	}()
	return l
}

func TestNobodyIsToldOfTheEndOfASessionThatDidNotGetToTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		deps, stopped := dependencies()
		conn, stop := serveSessions(t, sessions.Config{Dir: dir}, deps)
		record := func(anonymousID string) error {
			_, err := sessionsv1.NewIngestServiceClient(conn).RecordCalls(t.Context(), &sessionsv1.RecordCallsRequest{
				Workspace: "w", Calls: []*segmentv1.Call{calledNow(anonymousID)},
			})
			return err
		}
		before := watch(t, conn)
		if err := record("first"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour) // the first session ends
		if err := record("second"); err != nil {
			t.Fatal(err)
		}
		if told := before.all(); len(told) != 1 {
			t.Fatalf("told of %q, want one end", told)
		}
		loseWrites(t, filepath.Join(dir, sessions.File))
		time.Sleep(time.Hour) // the second would end
		if err := <-stopped; err == nil {
			t.Error("the store did not say why it stopped")
		}
		if err := record("third"); status.Code(err) != codes.Unavailable {
			t.Errorf("a call after the failure: %v, want Unavailable", err)
		}
		told := map[string][]string{"who watched": before.all(), "who came after the failure": watch(t, conn).all()}
		stop()
		conn, _ = serveSessions(t, sessions.Config{Dir: dir, ReadOnly: true}, observe.Discard())
		stored := watch(t, conn).all()
		for who, got := range told {
			if !slices.Equal(got, stored) {
				t.Errorf("%s was told of %q, and the file has %q", who, got, stored)
			}
		}
	})
}

func serveSessions(t *testing.T, c sessions.Config, deps observe.Deps) (conn *grpc.ClientConn, stop func()) {
	t.Helper()
	service, err := sessions.Open(t.Context(), c, deps)
	if err != nil {
		t.Fatal(err)
	}
	return rpctest.Serve(t, service)
}

// calledNow is a call of an anonymousId, which is also its messageId and the name of its user.
func calledNow(anonymousID string) *segmentv1.Call {
	now := time.Now().UnixMilli()
	return &segmentv1.Call{
		Type: segmentv1.CallType_CALL_TYPE_IDENTIFY, MessageId: anonymousID, TimeMs: now, OriginalTimeMs: now,
		AnonymousId: anonymousID, UserId: anonymousID, AccountId: "a",
	}
}

func TestNobodyIsToldOfACallThatDidNotGetToTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		deps, stopped := dependencies()
		conn, stop := serveIdentity(t, dir, deps)
		record := func(userID string) error {
			_, err := identityv1.NewIngestServiceClient(conn).RecordCalls(t.Context(), &identityv1.RecordCallsRequest{
				Workspace: "w", Calls: []*segmentv1.Call{calledNow(userID)},
			})
			return err
		}
		watching := tail(t, conn)
		if err := record("first"); err != nil {
			t.Fatal(err)
		}
		if told := watching.all(); len(told) != 1 {
			t.Fatalf("told of %q, want one call", told)
		}
		loseWrites(t, filepath.Join(dir, identity.File))
		for _, userID := range []string{"second", "third"} {
			if err := record(userID); status.Code(err) != codes.Unavailable {
				t.Errorf("a call that does not get to the disk: %v, want Unavailable", err)
			}
		}
		if err := <-stopped; err == nil {
			t.Error("the store did not say why it stopped")
		}
		told, answered := watching.all(), users(t, conn)
		stop()
		conn, _ = serveIdentity(t, dir, observe.Discard())
		stored := users(t, conn)
		if !slices.Equal(told, stored) || !slices.Equal(answered, stored) {
			t.Errorf("told of %q, answered with %q, and the file has %q", told, answered, stored)
		}
	})
}

func serveIdentity(t *testing.T, dir string, deps observe.Deps) (conn *grpc.ClientConn, stop func()) {
	t.Helper()
	service, err := identity.Open(t.Context(), identity.Config{Dir: dir}, deps)
	if err != nil {
		t.Fatal(err)
	}
	return rpctest.Serve(t, service)
}

// tail has a watcher told of the calls of workspace w, by their users.
func tail(t *testing.T, conn *grpc.ClientConn) *listener {
	t.Helper()
	stream, err := identityv1.NewQueryServiceClient(conn).TailCalls(t.Context(), &identityv1.TailCallsRequest{Workspace: "w"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil { // the service tells from here on
		t.Fatal(err)
	}
	l := &listener{}
	go func() {
		for received, err := stream.Recv(); err == nil; received, err = stream.Recv() {
			l.note(received.GetCall().GetCall().GetUserId())
		}
	}()
	return l
}

// users returns the ids of the users of workspace w.
func users(t *testing.T, conn *grpc.ClientConn) (ids []string) {
	t.Helper()
	list, err := identityv1.NewQueryServiceClient(conn).ListUsers(t.Context(), &identityv1.ListUsersRequest{Workspace: "w"})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range list.GetUsers() {
		ids = append(ids, u.GetUserId())
	}
	return ids
}
