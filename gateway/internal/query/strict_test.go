package query_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/sojournhq/sojourn/internal/kit/streams"
)

// raw is a message as it stands on the wire.
type raw struct{ bytes []byte }

// rawCodec sends and receives messages as they stand, under the name of a codec.
type rawCodec string

func (c rawCodec) Name() string { return string(c) }

func (rawCodec) Marshal(m any) ([]byte, error) { return m.(*raw).bytes, nil }

func (rawCodec) Unmarshal(data []byte, m any) error {
	m.(*raw).bytes = data
	return nil
}

// publicMethods goes through the methods that anybody but the gateway may call, which are all that are in the table of permissions.
func publicMethods(t *testing.T, do func(path string, m protoreflect.MethodDescriptor)) {
	t.Helper()
	may, n := permissions(), 0
	eachMethod(func(path string, m protoreflect.MethodDescriptor) {
		if may[path] != nobody {
			do(path, m)
			n++
		}
	})
	if n < 20 {
		t.Errorf("only %d methods", n)
	}
}

// sendRaw calls a method as the admin with a message as it stands.
func sendRaw(t *testing.T, c client, url, codec string, m protoreflect.MethodDescriptor, message []byte) error {
	t.Helper()
	options := append([]connect.ClientOption{bearer("Bearer " + adminToken), connect.WithCodec(rawCodec(codec))}, c.options...)
	client := connect.NewClient[raw, raw](c.http, url, options...)
	if m.IsStreamingServer() {
		return drain(client.CallServerStream(t.Context(), connect.NewRequest(&raw{message})))
	}
	_, err := client.CallUnary(t.Context(), connect.NewRequest(&raw{message}))
	return err
}

// wrongMessages returns messages for a method that hold something unknown, in JSON and in binary, with what the error must name.
func wrongMessages(m protoreflect.MethodDescriptor) (inJSON, inBinary map[string]string) {
	inJSON = map[string]string{`{"workspace":"acme","noSuchField":1}`: "noSuchField", `{"no_such_field":{"a":[]}}`: "no_such_field"}
	if m.Input().Fields().ByName("workspace") == nil {
		inJSON = map[string]string{`{"noSuchField":1}`: "noSuchField"}
	}
	unknown := protowire.AppendVarint(protowire.AppendTag(nil, 9999, protowire.VarintType), 1)
	inBinary = map[string]string{string(unknown): "field number 9999"}
	fields := m.Input().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		name, number := field.JSONName(), field.Number()
		switch {
		case field.Enum() != nil && field.IsList():
			inJSON[fmt.Sprintf(`{%q:["NO_SUCH_VALUE"]}`, name)] = name + "[0] cannot be NO_SUCH_VALUE"
			inJSON[fmt.Sprintf(`{%q:[9999]}`, name)] = name + "[0] cannot be 9999"
			inBinary[string(protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.VarintType), 9999))] = name + "[0] cannot be 9999"
		case field.Enum() != nil:
			inJSON[fmt.Sprintf(`{%q:"NO_SUCH_VALUE"}`, name)] = name + " cannot be NO_SUCH_VALUE"
			inJSON[fmt.Sprintf(`{%q:9999}`, name)] = name + " cannot be 9999"
			inBinary[string(protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.VarintType), 9999))] = name + " cannot be 9999"
		case field.Message() != nil:
			inBinary[string(protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), unknown))] = name + ".field number 9999"
		}
		inJSON[fmt.Sprintf(`{%q:null,%q:null}`, name, field.Name())] = name + " is there twice"
		inJSON[fmt.Sprintf(`{%q:[[]]}`, name)] = name // of the wrong type, whatever it is
	}
	return inJSON, inBinary
}

func TestEveryMethodRefusesWhatItDoesNotKnowOverEveryProtocol(t *testing.T) {
	services := newAnything(t)
	url, _ := serve(t, services.conn, streams.New(100), never)
	publicMethods(t, func(path string, m protoreflect.MethodDescriptor) {
		inJSON, inBinary := wrongMessages(m)
		for protocol, c := range clients(t) {
			if strings.Contains(protocol, "JSON") || strings.Contains(protocol, "GET") {
				continue // the codec is the test's, and GET has a test of its own
			}
			for codec, messages := range map[string]map[string]string{"json": inJSON, "proto": inBinary} {
				for message, names := range messages {
					err := sendRaw(t, c, url+path, codec, m, []byte(message))
					refused := new(connect.Error)
					if !errors.As(err, &refused) || refused.Code() != connect.CodeInvalidArgument || !strings.Contains(refused.Message(), names) ||
						strings.Contains(refused.Message(), "unmarshal") || strings.Contains(refused.Message(), "proto:") {
						t.Errorf("%s over %s: %q is answered with %v", path, protocol, message, err)
					}
				}
			}
		}
	})
	if asked := services.asked(); asked.method != "" {
		t.Errorf("%s was asked", asked.method)
	}
}

func TestAServiceThatIsNewerThanItsGatewayIsUnderstood(t *testing.T) {
	services := newAnything(t)
	services.newer = true
	url, _ := serve(t, services.conn, streams.New(100), never)
	publicMethods(t, func(path string, m protoreflect.MethodDescriptor) {
		for protocol, c := range clients(t) {
			if err := tryMethod(t, c, url+path, m, adminToken); connect.CodeOf(err) == connect.CodeInvalidArgument &&
				strings.Contains(err.Error(), "field number") {
				t.Errorf("%s over %s: %v", path, protocol, err)
			}
		}
	})
}

// answered is the answer to a request.
type answered struct {
	status          int
	header, trailer http.Header
	text            string
}

// get asks by GET.
func get(t *testing.T, url string, header ...string) answered {
	t.Helper()
	return request(t, http.MethodGet, url, "", header...)
}

// request sends a request with pairs of a header's name and value.
func request(t *testing.T, method, url, body string, header ...string) answered {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answered{resp.StatusCode, resp.Header, resp.Trailer, string(text)}
}

func TestEveryQueryAndNothingElseCanBeAskedByGET(t *testing.T) {
	services := newAnything(t)
	server, _ := serve(t, services.conn, streams.New(100), never)
	publicMethods(t, func(path string, m protoreflect.MethodDescriptor) {
		query := strings.HasSuffix(string(m.Parent().FullName()), ".QueryService") || m.Parent().Name() == "ReportService"
		want := query && !m.IsStreamingServer()
		if got := idempotency(m) == connect.IdempotencyNoSideEffects; got != want {
			t.Errorf("%s: NO_SIDE_EFFECTS is %v", path, got)
		}
		message := "{}"
		if m.Input().Fields().ByName("workspace") != nil {
			message = `{"workspace":"acme"}`
		}
		for name, parameters := range map[string]url.Values{
			"JSON":   {"encoding": {"json"}, "message": {message}},
			"base64": {"encoding": {"json"}, "message": {base64.RawURLEncoding.EncodeToString([]byte(message))}, "base64": {"1"}, "connect": {"v1"}},
			"padded": {"encoding": {"json"}, "message": {base64.URLEncoding.EncodeToString([]byte(message))}, "base64": {"1"}},
		} {
			got := get(t, server+path+"?"+parameters.Encode(), "Authorization", "Bearer "+adminToken)
			if !want {
				if got.status != http.StatusMethodNotAllowed {
					t.Errorf("%s in %s: answered %d %s", path, name, got.status, got.text)
				}
				continue
			}
			if got.status != http.StatusOK && m.Parent().Name() != "ReportService" { // which wants to know more
				t.Errorf("%s in %s: answered %d %s", path, name, got.status, got.text)
			}
			if cached := got.header.Get("Cache-Control"); cached != "no-store" {
				t.Errorf("%s: Cache-Control: %s", path, cached)
			}
		}
		if !want {
			return
		}
		inJSON, inBinary := wrongMessages(m)
		for message, names := range inJSON {
			refusedByGET(t, server+path, url.Values{"encoding": {"json"}, "message": {message}}, names)
		}
		for message, names := range inBinary {
			encoded := base64.RawURLEncoding.EncodeToString([]byte(message))
			refusedByGET(t, server+path, url.Values{"encoding": {"proto"}, "message": {encoded}, "base64": {"1"}}, names)
		}
	})
}

func refusedByGET(t *testing.T, at string, parameters url.Values, names string) {
	t.Helper()
	got := get(t, at+"?"+parameters.Encode(), "Authorization", "Bearer "+adminToken)
	if got.status != http.StatusBadRequest || !strings.Contains(got.text, names) || !strings.Contains(got.text, "invalid_argument") {
		t.Errorf("%s?%s is answered %d %s", at, parameters.Encode(), got.status, got.text)
	}
}

func TestParametersThatAQueryDoesNotHaveAreRefused(t *testing.T) {
	services := newAnything(t)
	server, _ := serve(t, services.conn, streams.New(100), never)
	const path = "/sojourn.events.v1.QueryService/QueryUsage"
	for parameters, names := range map[string]string{
		"encoding=json&message={}&accountId=a":        "accountId is not a parameter of the URL",
		"encoding=json&message={}&a%40b=a":            "one of those sent is not a parameter",
		"encoding=json&message={}&message={}":         "the parameter message is there twice",
		"message={}":                                  "the parameter encoding must be json or proto",
		"encoding=xml&message={}":                     "the parameter encoding must be json or proto",
		"encoding=json":                               "the parameter message is missing",
		"encoding=json&message=":                      "the message is empty",
		"encoding=json&message=e&base64=1":            "is not base64",
		"encoding=json&message=%2B%2F%3D%3D&base64=1": "is not base64",
		"encoding=json&message={}&base64=yes":         "base64 must be 1",
		"encoding=json&message={}&x=%zz":              "cannot be read",
		"":                                            "encoding must be",
	} {
		got := get(t, server+path+"?"+parameters, "Authorization", "Bearer "+acmeToken)
		if got.status != http.StatusBadRequest || !strings.Contains(got.text, names) || !strings.Contains(got.text, `"invalid_argument"`) {
			t.Errorf("?%s is answered %d %s", parameters, got.status, got.text)
		}
	}
	for _, contentType := range []string{"application/json", "application/proto", "application/grpc", "application/grpc-web+proto", "application/connect+json"} {
		got := request(t, http.MethodPost, server+path+"?accountId=a", "{}",
			"Authorization", "Bearer "+acmeToken, "Content-Type", contentType)
		if text := got.text + fmt.Sprint(got.header, got.trailer); !strings.Contains(text, "accountId is not a parameter of the URL") {
			t.Errorf("POST of %s is answered %d %s", contentType, got.status, got.text)
		}
	}
	if asked := services.asked(); asked.method != "" {
		t.Errorf("%s was asked", asked.method)
	}
}
