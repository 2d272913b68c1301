package workspace_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

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
	text, err := c.Encode()
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

// quoted returns a text as YAML has it within double quotes.
func quoted(text string) string {
	encoded, err := json.Marshal(text) // JSON is YAML
	if err != nil {
		panic(err)
	}
	return string(encoded)
}

func TestAKeyIsWhateverAHeaderCanCarry(t *testing.T) {
	const problem = ": no header can carry it: take out line ends, control characters, letters beyond ASCII, and space around it"
	for key, sendable := range map[string]bool{
		"client-id:client-secret":               true,
		":client-secret-000":                    true,
		"client-secret-000:":                    true,
		"a:b:c:d:e:f:g:h:i:j":                   true,
		"with space within it":                  true,
		"with\ttab-within-it":                   true,
		`!"#$%&'()*+,-./:;<=>?@[\]^_` + "`{|}~": true,
		"line-end-at-its-end\n":                 false,
		"line-end\nwithin-it-000":               false,
		"carriage-return\rwithin":               false,
		"control\x01within-it-000":              false,
		"delete\x7fwithin-it-0000":              false,
		"nothing\x00within-it-000":              false,
		"beyond-äscii-000000000":                false,
		"emoji-🙂-0000000000000":                 false,
		" space-before-00000000":                false,
		"space-behind-000000000 ":               false,
		"tab-behind-00000000000\t":              false,
	} {
		for place, text := range map[string]string{
			"[14:22] workspaces[0].sources[0].write_keys[0]": strings.Replace(good, "write-key-000000000000", quoted(key), 1),
			"[5:20] workspaces[0].query_tokens[0]":           strings.Replace(good, "query-token-0000000000", quoted(key), 1),
			"[2:16] admin_tokens[0]":                         strings.Replace(good, "admin-token-0000000000", quoted(key), 1),
		} {
			_, err := workspace.Parse([]byte(text))
			if sendable && err != nil || !sendable && (err == nil || err.Error() != place+problem) {
				t.Errorf("%q at %s: %v", key, place, err)
			}
		}
	}
}

func TestKeysWithAColonStandAsTheyAre(t *testing.T) {
	for _, written := range []string{"client-id:client-secret", `"client-id:client-secret"`, "{client-id:client-secret}"} {
		c, err := workspace.Parse([]byte(strings.Replace(good, "write-key-000000000000", written, 1)))
		if written[0] == '{' {
			if err == nil || strings.Contains(err.Error(), "client") {
				t.Errorf("fields in place of a key: %v", err)
			}
			continue
		}
		if err != nil || !c.Workspaces[0].Sources[0].WriteKeys[0].Equal(workspace.NewSecret("client-id:client-secret")) {
			t.Errorf("%s: %v", written, err)
		}
	}
}

// Basic authorization carries a key as "key:" or, from those who split it, as its two parts with a colon between them.
func TestOneKeyMayBeginAnotherUnlessOnlyBasicsOwnColonTellsThemApart(t *testing.T) {
	const first, second = "workspaces[0].sources[0].write_keys[0]", "workspaces[0].sources[0].write_keys[1]"
	const problem = " but for the colon at its end, which Basic authorization adds to every key: take another one"
	hash := workspace.NewSecret("client-id-0000000").Hashed()
	for keys, want := range map[string]string{
		"client-id-0000000, client-id-0000000:secret":        "",
		"client-id-0000000:secret, client-id-0000000":        "",
		hash + ", client-id-0000000:secret":                  "",
		`"client-id-0000000:"`:                               "",
		`client-id-0000000, "client-id-0000000:"`:            "[14:41] " + second + ": the same as " + first + problem,
		`"client-id-0000000:", client-id-0000000`:            "[14:22] " + first + ": the same as " + second + problem,
		`"client-id-0000000:", ` + hash:                      "[14:22] " + first + ": the same as " + second + problem,
		`client-id-0000000:secret, client-id-0000000:secret`: "[14:48] " + second + ": the same as " + first + ": take another one, for each is of one place alone",
	} {
		_, err := workspace.Parse([]byte(strings.Replace(good, "write-key-000000000000", keys, 1)))
		if (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%s: %v, want %s", keys, err, want)
		}
	}
}
