package query_test

import (
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/streams"
)

// who may call a method.
type who string

const (
	readers who = "readers of the workspace and admins"
	admins  who = "admins alone"
	nobody  who = "nobody: it is for the gateway itself"
)

// permissions has every method of every service. One that is not in it fails the test below: say here who may call it.
func permissions() map[string]who {
	all := map[string]who{}
	for methods, may := range map[string]who{
		"sojourn.identity.v1.IngestService: RecordCalls DeleteUser": nobody,
		"sojourn.events.v1.IngestService: RecordCalls DeleteUser":   nobody,
		"sojourn.sessions.v1.IngestService: RecordCalls DeleteUser": nobody,
		"sojourn.identity.v1.QueryService: GetUser ListUsers GetAccount ListAccounts ResolveAccount ListUnattributedUsers ListOutcomes " +
			"ListUnmappedTraits GetSettings ListRejectedCalls TailCalls": readers,
		"sojourn.identity.v1.QueryService: ListWorkspaces":                                                                            admins,
		"sojourn.events.v1.QueryService: ListEvents QueryUsage ListModules ListFeatures":                                              readers,
		"sojourn.sessions.v1.QueryService: GetSession ListSessions QueryTime WatchSessions":                                           readers,
		"sojourn.sessions.v1.AdminService: RebuildSessions":                                                                           admins,
		"sojourn.report.v1.ReportService: GetAccountUsage ListNonUsers GetAccountOverview ListAccountActivity GetUnattributed Export": readers,
		"sojourn.backup.v1.BackupService: CopyFile":                                                                                   admins,
		"sojourn.maintenance.v1.MaintenanceService: Compact":                                                                          admins,
		"sojourn.admin.v1.AdminService: DeleteUser":                                                                                   admins,
		"sojourn.activity.v1.ActivityService: GetActivity":                                                                            nobody,
	} {
		service, names, _ := strings.Cut(methods, ":")
		for name := range strings.FieldsSeq(names) {
			all["/"+service+"/"+name] = may
		}
	}
	return all
}

// eachMethod goes through the methods of all services that there are.
func eachMethod(do func(path string, m protoreflect.MethodDescriptor)) {
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if !strings.HasPrefix(string(file.Package()), "sojourn.") {
			return true
		}
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				m := service.Methods().Get(j)
				do("/"+string(service.FullName())+"/"+string(m.Name()), m)
			}
		}
		return true
	})
}

func TestEveryMethodLetsInWhoMayCallItAndNobodyElse(t *testing.T) {
	const writeKey = "acme-write-key-000"
	services := newAnything(t)
	url, _ := serveTo(t, &workspace.Config{AdminTokens: workspace.NewSecrets(adminToken), Workspaces: []workspace.Workspace{
		{ID: "acme", QueryTokens: workspace.NewSecrets(acmeToken), Sources: []workspace.Source{{ID: "web", WriteKeys: workspace.NewSecrets(writeKey)}}},
		{ID: "other", QueryTokens: workspace.NewSecrets(otherToken)},
	}}, services.conn, streams.New(1), never)
	const in = connect.Code(0)
	answers := map[who]map[string]connect.Code{
		readers: {
			"": connect.CodeUnauthenticated, "unknown-token-000": connect.CodeUnauthenticated, writeKey: connect.CodePermissionDenied,
			otherToken: connect.CodePermissionDenied, acmeToken: in, adminToken: in,
		},
		admins: {
			"": connect.CodeUnauthenticated, "unknown-token-000": connect.CodeUnauthenticated, writeKey: connect.CodePermissionDenied,
			otherToken: connect.CodePermissionDenied, acmeToken: connect.CodePermissionDenied, adminToken: in,
		},
		nobody: {
			"": connect.CodeUnimplemented, "unknown-token-000": connect.CodeUnimplemented, writeKey: connect.CodeUnimplemented,
			otherToken: connect.CodeUnimplemented, acmeToken: connect.CodeUnimplemented, adminToken: connect.CodeUnimplemented,
		},
	}
	may := permissions()
	for protocol, c := range clients(t) {
		eachMethod(func(path string, m protoreflect.MethodDescriptor) {
			allowed, listed := may[path]
			if !listed {
				t.Errorf("%s is not in the table: who may call it?", path)
			}
			for token, want := range answers[allowed] {
				if got := let(tryMethod(t, c, url+path, m, token)); got != want {
					t.Errorf("%s over %s, which is for %s, answers %q with %v, want %v", path, protocol, allowed, token, got, want)
				}
			}
		})
	}
	found := map[string]bool{}
	eachMethod(func(path string, _ protoreflect.MethodDescriptor) { found[path] = true })
	for path := range may {
		if !found[path] {
			t.Errorf("%s is in the table, but no method", path)
		}
	}
}

// let returns the code with which somebody was kept out; 0 for whoever got in, whatever became of the question.
func let(err error) connect.Code {
	switch code := connect.CodeOf(err); {
	case err == nil:
		return 0
	case code == connect.CodeUnauthenticated, code == connect.CodePermissionDenied, code == connect.CodeUnimplemented:
		return code
	default:
		return 0
	}
}

// tryMethod calls a method about workspace acme.
func tryMethod(t *testing.T, c client, url string, m protoreflect.MethodDescriptor, token string) error {
	t.Helper()
	options := append([]connect.ClientOption{
		connect.WithSchema(m), connect.WithIdempotency(idempotency(m)), connect.WithResponseInitializer(func(_ connect.Spec, message any) error {
			*message.(*dynamicpb.Message) = *dynamicpb.NewMessage(m.Output())
			return nil
		}),
	}, c.options...)
	if token != "" {
		options = append(options, bearer("Bearer "+token))
	}
	message := dynamicpb.NewMessage(m.Input())
	if field := m.Input().Fields().ByName("workspace"); field != nil {
		message.Set(field, protoreflect.ValueOfString("acme"))
	}
	client := connect.NewClient[dynamicpb.Message, dynamicpb.Message](c.http, url, options...)
	if m.IsStreamingServer() {
		return drain(client.CallServerStream(t.Context(), connect.NewRequest(message)))
	}
	_, err := client.CallUnary(t.Context(), connect.NewRequest(message))
	return err
}

func TestAWriteKeyIsToldThatItDoesNotRead(t *testing.T) {
	services := newAnything(t)
	url, _ := serveTo(t, &workspace.Config{Workspaces: []workspace.Workspace{
		{ID: "acme", Sources: []workspace.Source{{ID: "web", WriteKeys: workspace.NewSecrets("acme-write-key-000")}}},
	}}, services.conn, streams.New(1), never)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/sojourn.identity.v1.QueryService/ListUsers", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer acme-write-key-000")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text := make([]byte, 1000)
	n, _ := resp.Body.Read(text)
	if body := string(text[:n]); resp.StatusCode != http.StatusForbidden || !strings.Contains(body, "a write key does not read") {
		t.Errorf("answered %s %s", resp.Status, body)
	}
}
