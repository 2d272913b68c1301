package query_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/rpc/rpctest"
	"github.com/sojournhq/sojourn/internal/kit/streams"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
	"github.com/sojournhq/sojourn/proto/sojourn/sessions/v1/sessionsv1connect"
)

type (
	toWatcher   = grpc.ServerStreamingServer[sessionsv1.WatchSessionsResponse]
	fromGateway = connect.ServerStreamForClient[sessionsv1.WatchSessionsResponse]
)

// feed is a sessions service that can only be watched.
type feed struct {
	sessionsv1.UnimplementedQueryServiceServer

	watch func(r *sessionsv1.WatchSessionsRequest, to toWatcher) error
}

func (f feed) WatchSessions(r *sessionsv1.WatchSessionsRequest, to toWatcher) error {
	return f.watch(r, to)
}

func (f feed) Register(r grpc.ServiceRegistrar) { sessionsv1.RegisterQueryServiceServer(r, f) }

func (feed) Close() error { return nil }

// tell sends changes with cursors from..to-1.
func tell(to toWatcher, from, until int) error {
	for i := from; i < until; i++ {
		if err := to.Send(&sessionsv1.WatchSessionsResponse{Cursor: strconv.Itoa(i)}); err != nil {
			return err
		}
	}
	return nil
}

// untilItEnds waits on a stream on which nothing happens.
func untilItEnds(to toWatcher) error {
	<-to.Context().Done()
	return to.Context().Err()
}

func watcher(c client, url, token string) sessionsv1connect.QueryServiceClient {
	return sessionsv1connect.NewQueryServiceClient(c.http, url, append([]connect.ClientOption{bearer("Bearer " + token)}, c.options...)...)
}

// receive reads changes with cursors from..until-1.
func receive(t *testing.T, stream *fromGateway, from, until int) {
	t.Helper()
	for i := from; i < until; i++ {
		if !stream.Receive() {
			t.Fatalf("instead of change %d: %v", i, stream.Err())
		}
		if got := stream.Msg().GetCursor(); got != strconv.Itoa(i) {
			t.Fatalf("change %s, want %d", got, i)
		}
	}
}

func TestAWatcherIsToldWhatHappensUntilItLeavesAndThenTheServiceIsLeftToo(t *testing.T) {
	for protocol, c := range clients(t) {
		t.Run(protocol, func(t *testing.T) {
			asked, happens, left := make(chan *sessionsv1.WatchSessionsRequest, 1), make(chan struct{}), make(chan error, 1)
			conn, _ := rpctest.Serve(t, feed{watch: func(r *sessionsv1.WatchSessionsRequest, to toWatcher) error {
				asked <- r
				if _, ok := to.Context().Deadline(); ok {
					return errors.New("the stream has a deadline")
				}
				if err := tell(to, 0, 2); err != nil {
					return err
				}
				<-happens
				if err := tell(to, 2, 3); err != nil {
					return err
				}
				left <- untilItEnds(to)
				return nil
			}})
			url, _ := serve(t, conn, streams.New(1), never)
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			stream, err := watcher(c, url, acmeToken).WatchSessions(ctx, &sessionsv1.WatchSessionsRequest{Cursor: "c", FromNow: true})
			if err != nil {
				t.Fatal(err)
			}
			receive(t, stream, 0, 2)
			close(happens)
			receive(t, stream, 2, 3)
			if r := <-asked; r.GetWorkspace() != "acme" || r.GetCursor() != "c" || !r.GetFromNow() {
				t.Errorf("the service was asked %v", r)
			}
			leave()
			if err := <-left; err == nil {
				t.Error("the service was not left")
			}
			_ = stream.Close()
		})
	}
}

func TestAWatcherWithoutAnythingToSeeIsLetInAtOnce(t *testing.T) {
	conn, _ := rpctest.Serve(t, feed{watch: func(_ *sessionsv1.WatchSessionsRequest, to toWatcher) error { return untilItEnds(to) }})
	url, _ := serve(t, conn, streams.New(1), never)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+sessionsv1connect.QueryServiceWatchSessionsProcedure,
		strings.NewReader("\x00\x00\x00\x00\x02{}"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+acmeToken)
	r.Header.Set("Content-Type", "application/connect+json")
	resp, err := http.DefaultClient.Do(r) // returns with the header
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("answered %s, %v", resp.Status, err)
	}
}

func TestAWatcherWhoseTokenIsTakenBackIsToldNothingMore(t *testing.T) {
	for protocol, c := range clients(t) {
		t.Run(protocol, func(t *testing.T) {
			var readers changing
			readers.Store(&workspace.Config{Workspaces: []workspace.Workspace{{ID: "acme", QueryTokens: workspace.NewSecrets(acmeToken)}}})
			happens := make(chan struct{})
			conn, _ := rpctest.Serve(t, feed{watch: func(_ *sessionsv1.WatchSessionsRequest, to toWatcher) error {
				if err := tell(to, 0, 1); err != nil {
					return err
				}
				<-happens
				if err := tell(to, 1, 2); err != nil {
					return err
				}
				return untilItEnds(to)
			}})
			url, _ := serveTo(t, &readers, conn, streams.New(1), never)
			stream, err := watcher(c, url, acmeToken).WatchSessions(t.Context(), &sessionsv1.WatchSessionsRequest{})
			if err != nil {
				t.Fatal(err)
			}
			receive(t, stream, 0, 1)
			readers.Store(&workspace.Config{Workspaces: []workspace.Workspace{{ID: "acme"}}})
			close(happens)
			if stream.Receive() || connect.CodeOf(stream.Err()) != connect.CodeUnauthenticated {
				t.Errorf("after the token was taken back: %v", stream.Err())
			}
			_ = stream.Close()
		})
	}
}

func TestAWatchAsksForATokenAsEveryQuestionDoes(t *testing.T) {
	conn, _ := rpctest.Serve(t, feed{watch: func(r *sessionsv1.WatchSessionsRequest, to toWatcher) error {
		return to.Send(&sessionsv1.WatchSessionsResponse{Cursor: r.GetWorkspace()})
	}})
	url, _ := serve(t, conn, streams.New(1), never)
	for name, c := range map[string]struct {
		token, workspace string
		want             string // the workspace watched, if the code is 0
		code             connect.Code
	}{
		"own, not named":    {acmeToken, "", "acme", 0},
		"own, named":        {secondAcme, "acme", "acme", 0},
		"another workspace": {acmeToken, "other", "", connect.CodePermissionDenied},
		"admin":             {adminToken, "other", "other", 0},
		"admin, not named":  {adminToken, "", "", connect.CodeInvalidArgument},
		"unknown token":     {"unknown", "", "", connect.CodeUnauthenticated},
		"no token":          {"", "", "", connect.CodeUnauthenticated},
	} {
		for protocol, client := range clients(t) {
			t.Run(name+" over "+protocol, func(t *testing.T) {
				stream, err := watcher(client, url, c.token).WatchSessions(t.Context(), &sessionsv1.WatchSessionsRequest{Workspace: c.workspace})
				if err != nil {
					t.Fatal(err)
				}
				told := ""
				if stream.Receive() {
					told = stream.Msg().GetCursor()
					stream.Receive()
				}
				if told != c.want || (c.code == 0) != (stream.Err() == nil) || c.code != 0 && connect.CodeOf(stream.Err()) != c.code {
					t.Errorf("told %q, then %v", told, stream.Err())
				}
				_ = stream.Close()
			})
		}
	}
}

func TestAWatchEndsWithTheStatusOfTheServiceButNotWithWhatWentWrongInside(t *testing.T) {
	for code, want := range map[codes.Code]string{
		codes.InvalidArgument: "the very message",
		codes.OutOfRange:      "the very message",
		codes.Unavailable:     "the very message",
		codes.Internal:        "internal error",
		codes.DataLoss:        "internal error",
	} {
		conn, _ := rpctest.Serve(t, feed{watch: func(_ *sessionsv1.WatchSessionsRequest, to toWatcher) error {
			if err := tell(to, 0, 1); err != nil {
				return err
			}
			return status.Error(code, "the very message")
		}})
		url, log := serve(t, conn, streams.New(1), never)
		for protocol, c := range clients(t) {
			stream, err := watcher(c, url, acmeToken).WatchSessions(t.Context(), &sessionsv1.WatchSessionsRequest{})
			if err != nil {
				t.Fatal(err)
			}
			receive(t, stream, 0, 1)
			err = drain(stream, nil)
			var got *connect.Error
			if !errors.As(err, &got) || uint32(got.Code()) != uint32(code) || got.Message() != want {
				t.Errorf("%v over %s: %v, want %q", code, protocol, err, want)
			}
		}
		if hidden, logged := want != "the very message", strings.Contains(log.String(), "the very message"); hidden != logged {
			t.Errorf("%v: the log says %s", code, log)
		}
	}
}

func TestTheTimeoutsOfTheServerDoNotCutAStream(t *testing.T) {
	conn, _ := rpctest.Serve(t, feed{watch: func(_ *sessionsv1.WatchSessionsRequest, to toWatcher) error {
		if err := tell(to, 0, 1); err != nil {
			return err
		}
		select {
		case <-time.After(long):
			return tell(to, 1, 2)
		case <-to.Context().Done():
			return to.Context().Err()
		}
	}})
	url, _ := serve(t, conn, streams.New(100), short)
	atOnce(t, func(c client) error {
		stream, err := watcher(c, url, acmeToken).WatchSessions(t.Context(), &sessionsv1.WatchSessionsRequest{})
		if err != nil {
			return err
		}
		last := ""
		for stream.Receive() {
			last = stream.Msg().GetCursor()
		}
		if last != "1" {
			return fmt.Errorf("the second change was not told: %w", stream.Err())
		}
		return errors.Join(stream.Err(), stream.Close())
	})
}

func TestAServiceMayTakeItsTimeToTakeAStream(t *testing.T) {
	services := newAnything(t)
	services.think = long
	url, _ := serve(t, services.conn, streams.New(100), short)
	atOnce(t, func(c client) error {
		return drain(watcher(c, url, acmeToken).WatchSessions(t.Context(), &sessionsv1.WatchSessionsRequest{}))
	})
}

func TestAClientThatDoesNotReadIsLeft(t *testing.T) {
	long := &sessionsv1.WatchSessionsResponse{Session: &sessionsv1.Session{UserId: strings.Repeat("u", 1<<20)}}
	left := make(chan error, 1)
	conn, _ := rpctest.Serve(t, feed{watch: func(_ *sessionsv1.WatchSessionsRequest, to toWatcher) error {
		for { // more than all buffers on the way hold
			if err := to.Send(long); err != nil {
				left <- err
				return err
			}
		}
	}})
	url, _ := serve(t, conn, streams.New(100), short)
	all := clients(t)
	for protocol, c := range all {
		c.options = append(c.options, connect.WithAcceptCompression("gzip", nil, nil)) // the message would become small
		stream, err := watcher(c, url, acmeToken).WatchSessions(t.Context(), &sessionsv1.WatchSessionsRequest{})
		if err != nil {
			t.Fatalf("%s: %v", protocol, err)
		}
		defer func() { _ = stream.Close() }()
	}
	for range all {
		if err := <-left; err == nil {
			t.Error("left without a reason")
		}
	}
}

func TestStreamsAreLimitedAndEndWithTheirGroup(t *testing.T) {
	conn, _ := rpctest.Serve(t, feed{watch: func(_ *sessionsv1.WatchSessionsRequest, to toWatcher) error {
		return errors.Join(tell(to, 0, 1), untilItEnds(to))
	}})
	for protocol, c := range clients(t) {
		t.Run(protocol, func(t *testing.T) {
			group := streams.New(1)
			url, _ := serve(t, conn, group, never)
			q := watcher(c, url, acmeToken)
			stream, err := q.WatchSessions(t.Context(), &sessionsv1.WatchSessionsRequest{})
			if err != nil {
				t.Fatal(err)
			}
			receive(t, stream, 0, 1)
			if err := drain(q.WatchSessions(t.Context(), &sessionsv1.WatchSessionsRequest{})); connect.CodeOf(err) != connect.CodeUnavailable {
				t.Errorf("the second of one: %v", err)
			}
			group.End()
			if err := drain(stream, nil); connect.CodeOf(err) != connect.CodeUnavailable || !strings.Contains(err.Error(), streams.ErrStopping.Error()) {
				t.Errorf("the open one ended with %v", err)
			}
		})
	}
}
