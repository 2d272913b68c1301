package workspace_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
)

const plain = "plain-text-of-a-key"

func TestASecretIsTheSameWrittenPlainOrAsItsHash(t *testing.T) {
	hashed := workspace.NewSecret(plain).Hashed()
	for _, written := range []string{plain, hashed, strings.ReplaceAll(strings.ToUpper(hashed), "SHA256", "sha256"), `"` + hashed + `"`} {
		c, err := workspace.Parse([]byte(strings.Replace(good, "write-key-000000000000", written, 1)))
		if err != nil {
			t.Errorf("%s: %v", written, err)
			continue
		}
		if got := c.Workspaces[0].Sources[0].WriteKeys[0]; !got.Equal(workspace.NewSecret(plain)) {
			t.Errorf("%s is another secret", written)
		}
	}
	if workspace.NewSecret(plain).Equal(workspace.NewSecret(plain + " ")) {
		t.Error("two texts are one secret")
	}
}

func TestASecretIsNeverShownByFormattingLoggingOrEncoding(t *testing.T) {
	c, err := workspace.Parse([]byte(strings.NewReplacer("write-key-000000000000", plain,
		"query-token-0000000000", workspace.NewSecret("another-plain-text").Hashed()).Replace(good)))
	if err != nil {
		t.Fatal(err)
	}
	hash := strings.TrimPrefix(workspace.NewSecret(plain).Hashed(), "sha256:")
	secret := c.Workspaces[0].Sources[0].WriteKeys[0]
	var shown bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&shown, verb+"\n", secret)
		fmt.Fprintf(&shown, verb+"\n", c.Workspaces[0])
		fmt.Fprintf(&shown, verb+"\n", &c.Workspaces[0].Sources[0])
		// Here fmt asks nobody how to show it. Then at least the plain text is not there.
		if text := fmt.Sprintf(verb, struct{ unexported workspace.Secret }{secret}); strings.Contains(text, plain) {
			t.Errorf("shown: %s", text)
		}
	}
	for _, value := range []any{secret, c} {
		slog.New(slog.NewTextHandler(&shown, nil)).Info("m", slog.Any("value", value))
		slog.New(slog.NewJSONHandler(&shown, nil)).Info("m", slog.Any("value", value))
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		shown.Write(text)
	}
	if strings.Contains(shown.String(), plain) || strings.Contains(shown.String(), hash) {
		t.Errorf("shown:\n%s", &shown)
	}
	if !strings.Contains(shown.String(), "[secret]") {
		t.Errorf("not even that there is one is shown:\n%s", &shown)
	}
	text, err := yaml.Marshal(c)
	if err != nil || strings.Contains(string(text), plain) || !strings.Contains(string(text), "sha256:"+hash) {
		t.Errorf("encoded as %s, error %v", text, err)
	}
}

func TestWhatIsWrongWithSecretsIsNamedByPlaceAndNotShown(t *testing.T) {
	hash := workspace.NewSecret("the-same-secret-000000").Hashed()
	_, err := workspace.Parse([]byte(`
admin_tokens: [tiny-secret, ` + hash + `]
workspaces:
  - id: a
    query_tokens: ["sha256:", "sha256:` + strings.Repeat("z", 64) + `", ` + hash[:len(hash)-2] + `, ` + hash + `00, the-same-secret-000000]
    sources:
      - id: web
        write_keys: [` + workspace.NewSecret("").Hashed() + `, ` + strings.ToUpper(hash) + `]
`))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"admin_tokens[0]: shorter than 16", "query_tokens[0]: begins with sha256:, but", "query_tokens[1]: begins with", "query_tokens[2]: begins with",
		"query_tokens[3]: begins with", "query_tokens[4]: the same as admin_tokens[1]", "write_keys[0]: the hash of an empty text",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), hash[7:]) {
		t.Errorf("error shows a key:\n%v", err)
	}
	if _, err := workspace.Parse([]byte(strings.Replace(good, "[write-key-000000000000]", "[{a-key-within: x}]", 1))); err == nil ||
		strings.Contains(err.Error(), "a-key") {
		t.Errorf("a key that is no text: %v", err)
	}
}

func TestTheNameOfASecretIsTheBeginningOfItsHashAndNoMore(t *testing.T) {
	s := workspace.NewSecret("a-secret-0000000")
	if name := s.Name(); !strings.HasPrefix(s.Hashed(), name) || len(name) != len("sha256:")+8 {
		t.Errorf("%s is called %s", s.Hashed(), name)
	}
	if other := workspace.NewSecret("a-secret-1111111"); other.Name() == s.Name() {
		t.Error("two secrets have one name")
	}
}
