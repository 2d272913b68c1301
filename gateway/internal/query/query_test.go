package query_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/streams"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	"github.com/sojournhq/sojourn/proto/sojourn/identity/v1/identityv1connect"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"

	"github.com/sojournhq/sojourn/gateway/internal/query"
)

const (
	acmeToken  = "acme-token-0000000"
	secondAcme = "acme-token-1111111"
	otherToken = "other-token-000000"
	adminToken = "admin-token-000000"

	// What a test waits for in real time: short is what must pass, long is longer, and never is what must not matter.
	short, long, never = 500 * time.Millisecond, 700 * time.Millisecond, time.Minute
)

// open serves the query door in front of services that answer anything, and returns its URL, them, and its log.
func open(t *testing.T) (string, *anything, *bytes.Buffer) {
	t.Helper()
	services := newAnything(t)
	url, log := serve(t, services.conn, streams.New(1), never)
	return url, services, log
}

// serve serves the query door in front of services reached by conn, and returns its URL and its log. The timeouts are those of the HTTP
// server and that for a client to read a message.
func serve(t *testing.T, conn grpc.ClientConnInterface, open *streams.Group, timeouts time.Duration) (string, *bytes.Buffer) {
	t.Helper()
	return serveTo(t, &workspace.Config{AdminTokens: workspace.NewSecrets(adminToken), Workspaces: []workspace.Workspace{
		{ID: "acme", QueryTokens: workspace.NewSecrets(acmeToken, secondAcme)}, {ID: "other", QueryTokens: workspace.NewSecrets(otherToken)},
	}}, conn, open, timeouts)
}

// serveTo does the same to those who may read.
func serveTo(
	t *testing.T, readers workspace.Provider, conn grpc.ClientConnInterface, open *streams.Group, timeouts time.Duration,
) (string, *bytes.Buffer) {
	t.Helper()
	return serveFrom(t, query.Config{
		Workspaces: readers, Identity: conn, Events: conn, Sessions: conn, SendTime: timeouts, Streams: open,
	})
}

// serveFrom does the same with all that is configured but a deadline.
func serveFrom(t *testing.T, c query.Config) (string, *bytes.Buffer) {
	t.Helper()
	mux, log := http.NewServeMux(), &bytes.Buffer{}
	c.Deadline = 4 * time.Second
	if err := query.Register(mux, c, observe.Deps{Log: slog.New(slog.NewTextHandler(log, nil))}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(mux)
	server.Config.Protocols = both()
	server.Config.ReadTimeout, server.Config.WriteTimeout = c.SendTime, c.SendTime
	server.Start()
	t.Cleanup(server.Close)
	return server.URL, log
}

func both() *http.Protocols {
	var p http.Protocols
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	return &p
}

// client is what it takes to ask over one protocol.
type client struct {
	http    *http.Client
	options []connect.ClientOption
}

// clients returns a client for each protocol.
func clients(t *testing.T) map[string]client {
	t.Helper()
	var onlyH2 http.Protocols
	onlyH2.SetUnencryptedHTTP2(true)
	h1, h2 := &http.Transport{}, &http.Transport{Protocols: &onlyH2}
	t.Cleanup(h1.CloseIdleConnections)
	t.Cleanup(h2.CloseIdleConnections)
	return map[string]client{
		"connect":            {&http.Client{Transport: h1}, nil},
		"connect, JSON":      {&http.Client{Transport: h1}, []connect.ClientOption{connect.WithProtoJSON()}},
		"connect, GET":       {&http.Client{Transport: h1}, []connect.ClientOption{connect.WithHTTPGet()}},
		"connect, GET JSON":  {&http.Client{Transport: h1}, []connect.ClientOption{connect.WithHTTPGet(), connect.WithProtoJSON()}},
		"connect on HTTP/2":  {&http.Client{Transport: h2}, nil},
		"gRPC":               {&http.Client{Transport: h2}, []connect.ClientOption{connect.WithGRPC()}},
		"gRPC-Web":           {&http.Client{Transport: h1}, []connect.ClientOption{connect.WithGRPCWeb()}},
		"gRPC-Web on HTTP/2": {&http.Client{Transport: h2}, []connect.ClientOption{connect.WithGRPCWeb()}},
	}
}

// atOnce does the same over all protocols at once, for what takes its time.
func atOnce(t *testing.T, do func(c client) error) {
	t.Helper()
	var all sync.WaitGroup
	for protocol, c := range clients(t) {
		all.Go(func() {
			if err := do(c); err != nil {
				t.Errorf("%s: %v", protocol, err)
			}
		})
	}
	all.Wait()
}

// bearer sends authorization with every request.
func bearer(authorization string) connect.ClientOption {
	return connect.WithInterceptors(sender(authorization))
}

type sender string

func (s sender) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, r connect.AnyRequest) (connect.AnyResponse, error) {
		if s != "" {
			r.Header().Set("Authorization", string(s))
		}
		return next(ctx, r)
	}
}

func (s sender) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return func(ctx context.Context, spec connect.Spec) connect.StreamingClientConn {
		conn := next(ctx, spec)
		if s != "" {
			conn.RequestHeader().Set("Authorization", string(s))
		}
		return conn
	}
}

func (sender) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return next
}

func TestEveryQuestionReachesItsServiceAboutTheTokensWorkspaceOverEveryProtocol(t *testing.T) {
	url, services, _ := open(t)
	for protocol, client := range clients(t) {
		t.Run(protocol, func(t *testing.T) {
			for _, file := range []protoreflect.FileDescriptor{
				identityv1.File_sojourn_identity_v1_identity_proto, eventsv1.File_sojourn_events_v1_events_proto,
				sessionsv1.File_sojourn_sessions_v1_sessions_proto,
			} {
				methods := file.Services().ByName("QueryService").Methods()
				for i := range methods.Len() {
					ask(t, client.http, url, methods.Get(i), services, client.options)
				}
			}
		})
	}
}

// idempotency is what a generated client knows of a method, which it needs to ask by GET.
func idempotency(m protoreflect.MethodDescriptor) connect.IdempotencyLevel {
	if m.Options().(*descriptorpb.MethodOptions).GetIdempotencyLevel() == descriptorpb.MethodOptions_NO_SIDE_EFFECTS {
		return connect.IdempotencyNoSideEffects
	}
	return connect.IdempotencyUnknown
}

// ask calls one method and checks what arrived at the service.
func ask(t *testing.T, c *http.Client, url string, m protoreflect.MethodDescriptor, to *anything, options []connect.ClientOption) {
	t.Helper()
	path, token := "/"+string(m.Parent().FullName())+"/"+string(m.Name()), acmeToken
	field := m.Input().Fields().ByName("workspace")
	if field == nil {
		token = adminToken
	}
	client := connect.NewClient[dynamicpb.Message, dynamicpb.Message](c, url+path, append([]connect.ClientOption{
		connect.WithSchema(m), connect.WithIdempotency(idempotency(m)), bearer("Bearer " + token),
		connect.WithResponseInitializer(func(_ connect.Spec, message any) error {
			*message.(*dynamicpb.Message) = *dynamicpb.NewMessage(m.Output())
			return nil
		}),
	}, options...)...)
	request := connect.NewRequest(dynamicpb.NewMessage(m.Input()))
	var err error
	if m.IsStreamingServer() {
		err = drain(client.CallServerStream(t.Context(), request))
	} else {
		_, err = client.CallUnary(t.Context(), request)
	}
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return
	}
	got := to.asked()
	if got.method != path {
		t.Errorf("%s arrived as %s", path, got.method)
	}
	if field == nil {
		return
	}
	asks := got.request.ProtoReflect()
	if w := asks.Get(asks.Descriptor().Fields().ByName("workspace")).String(); w != "acme" {
		t.Errorf("%s arrived about workspace %q", path, w)
	}
}

// drain reads a stream to its end and returns what that was.
func drain[M any](stream *connect.ServerStreamForClient[M], err error) error {
	if err != nil {
		return err
	}
	for stream.Receive() {
	}
	return errors.Join(stream.Err(), stream.Close())
}

func TestATokenReadsItsOwnWorkspaceAndTheAdminTokenAnyThatItNames(t *testing.T) {
	url, services, _ := open(t)
	for name, c := range map[string]struct {
		authorization, workspace string
		want                     string // the workspace asked about, if the code is 0
		code                     connect.Code
	}{
		"own, not named":       {"Bearer " + acmeToken, "", "acme", 0},
		"own, named":           {"Bearer " + acmeToken, "acme", "acme", 0},
		"second token":         {"bearer  " + secondAcme, "", "acme", 0},
		"another's token":      {"Bearer " + otherToken, "", "other", 0},
		"another workspace":    {"Bearer " + acmeToken, "other", "", connect.CodePermissionDenied},
		"unknown workspace":    {"Bearer " + acmeToken, "ACME", "", connect.CodePermissionDenied},
		"admin":                {"Bearer " + adminToken, "other", "other", 0},
		"admin, not named":     {"Bearer " + adminToken, "", "", connect.CodeInvalidArgument},
		"no token":             {"", "", "", connect.CodeUnauthenticated},
		"empty token":          {"Bearer ", "", "", connect.CodeUnauthenticated},
		"unknown token":        {"Bearer unknown", "", "", connect.CodeUnauthenticated},
		"token as a user name": {"Basic " + acmeToken, "", "", connect.CodeUnauthenticated},
	} {
		for protocol, client := range clients(t) {
			t.Run(name+" over "+protocol, func(t *testing.T) {
				q := identityv1connect.NewQueryServiceClient(client.http, url, append(client.options, bearer(c.authorization))...)
				_, err := q.ListUsers(t.Context(), &identityv1.ListUsersRequest{Workspace: c.workspace, PageSize: 7})
				if c.code != 0 {
					if connect.CodeOf(err) != c.code {
						t.Errorf("answered %v, want %v", err, c.code)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				request := services.asked().request.(*identityv1.ListUsersRequest)
				if request.GetWorkspace() != c.want || request.GetPageSize() != 7 {
					t.Errorf("asked %v", request)
				}
			})
		}
	}
}

func TestTokensAreThoseOfTheConfigurationOfNow(t *testing.T) {
	var config changing
	config.Store(&workspace.Config{AdminTokens: workspace.NewSecrets(adminToken), Workspaces: []workspace.Workspace{{ID: "acme", QueryTokens: workspace.NewSecrets(acmeToken)}}})
	services, mux := newAnything(t), http.NewServeMux()
	if err := query.Register(mux, query.Config{
		Workspaces: &config, Identity: services.conn, Deadline: time.Second,
	}, observe.Discard()); err != nil {
		t.Fatal(err)
	}
	status := func(token string) int {
		const path = "/sojourn.identity.v1.QueryService/ListUsers"
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(`{"workspace":"acme"}`))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w.Code
	}
	for token, want := range map[string]int{acmeToken: 200, adminToken: 200, secondAcme: 401} {
		if got := status(token); got != want {
			t.Errorf("before: %s is answered %d, want %d", token, got, want)
		}
	}
	config.Store(&workspace.Config{Workspaces: []workspace.Workspace{{ID: "acme", QueryTokens: workspace.NewSecrets(secondAcme)}}})
	for token, want := range map[string]int{acmeToken: 401, adminToken: 401, secondAcme: 200} {
		if got := status(token); got != want {
			t.Errorf("after: %s is answered %d, want %d", token, got, want)
		}
	}
}

// changing is a configuration that a test changes.
type changing struct {
	atomic.Pointer[workspace.Config]
}

func (c *changing) Config() *workspace.Config { return c.Load() }

func TestOnlyTheAdminListsWorkspaces(t *testing.T) {
	url, _, _ := open(t)
	for token, want := range map[string]connect.Code{acmeToken: connect.CodePermissionDenied, adminToken: 0} {
		q := identityv1connect.NewQueryServiceClient(http.DefaultClient, url, bearer("Bearer "+token))
		_, err := q.ListWorkspaces(t.Context(), &identityv1.ListWorkspacesRequest{})
		if err == nil && want != 0 || err != nil && connect.CodeOf(err) != want {
			t.Errorf("%s: %v, want %v", token, err, want)
		}
	}
}

func TestWithoutAnAdminTokenNobodyIsAdmin(t *testing.T) {
	mux := http.NewServeMux()
	if err := query.Register(mux, query.Config{Workspaces: &workspace.Config{}}, observe.Discard()); err != nil {
		t.Fatal(err)
	}
	const path = "/sojourn.identity.v1.QueryService/ListWorkspaces"
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader("{}"))
	r.Header.Set("Authorization", "Bearer ")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	if w.Code != http.StatusUnauthorized {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
}

func TestAStatusComesBackAsTheServiceGaveItButNotWhatWentWrongInside(t *testing.T) {
	url, services, log := open(t)
	for code, want := range map[codes.Code]string{
		codes.NotFound:           "the very message",
		codes.InvalidArgument:    "the very message",
		codes.FailedPrecondition: "the very message",
		codes.DeadlineExceeded:   "the very message",
		codes.ResourceExhausted:  "the very message",
		codes.Internal:           "internal error",
		codes.Unknown:            "internal error",
		codes.DataLoss:           "internal error",
	} {
		services.failWith(status.Error(code, "the very message"))
		for protocol, client := range clients(t) {
			q := identityv1connect.NewQueryServiceClient(client.http, url, append(client.options, bearer("Bearer "+acmeToken))...)
			_, err := q.GetAccount(t.Context(), &identityv1.GetAccountRequest{AccountId: "a"})
			var got *connect.Error
			if !errors.As(err, &got) || uint32(got.Code()) != uint32(code) || got.Message() != want {
				t.Errorf("%v over %s: %v, want %q", code, protocol, err, want)
			}
		}
	}
	if !strings.Contains(log.String(), "GetAccount") || !strings.Contains(log.String(), "the very message") {
		t.Errorf("the log does not say what went wrong inside: %s", log)
	}
}

func TestAQuestionHasADeadlineWhetherTheClientSetsOneOrNot(t *testing.T) {
	url, services, _ := open(t)
	for protocol, client := range clients(t) {
		q := identityv1connect.NewQueryServiceClient(client.http, url, append(client.options, bearer("Bearer "+acmeToken))...)
		if _, err := q.ListAccounts(t.Context(), &identityv1.ListAccountsRequest{}); err != nil {
			t.Fatal(err)
		}
		if left := services.asked().left; left <= 0 || left > 4*time.Second {
			t.Errorf("%s: without a deadline the service had %v", protocol, left)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		_, err := q.ListAccounts(ctx, &identityv1.ListAccountsRequest{})
		cancel()
		if left := services.asked().left; err != nil || left <= 4*time.Second {
			t.Errorf("%s: with an hour the service had %v, error %v", protocol, left, err)
		}
	}
}

func TestAQuestionCanBeAskedWithCurl(t *testing.T) {
	url, services, _ := open(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/sojourn.events.v1.QueryService/QueryUsage",
		strings.NewReader(`{"groupBy":["GROUP_BY_FEATURE"],"accountId":""}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+acmeToken)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || string(body) != "{}" {
		t.Errorf("answered %d %s, error %v", resp.StatusCode, body, err)
	}
	want := &eventsv1.QueryUsageRequest{
		Workspace: "acme", AccountId: new(string), GroupBy: []eventsv1.GroupBy{eventsv1.GroupBy_GROUP_BY_FEATURE},
	}
	if diff := cmp.Diff(want, services.asked().request, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}
