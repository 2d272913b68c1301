package setup

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/durable"
	"github.com/sojournhq/sojourn/internal/kit/strictyaml"
)

// KeysFile is the name of the file with the first keys in a data directory.
const KeysFile = "first-keys.yaml"

const keysPreface = `# The keys that were made on first start: "sojourn" prints commands with them, "demo" and "watch" take theirs here.
# Sojourn itself does not need this file: delete it once the keys are where you want them.
`

// Keys are plain keys. They are secrets: they go to the terminal of whoever made them, and nowhere else.
type Keys struct {
	// WriteKey, QueryToken and AdminToken are "" where there is none.
	WriteKey   string `yaml:"write_key"`
	QueryToken string `yaml:"query_token"`
	AdminToken string `yaml:"admin_token"`
}

// NewKey returns a key that nobody has had before. Prefix says what it is for.
func NewKey(prefix string) string { return prefix + "_" + rand.Text() }

func freshKeys() Keys {
	return Keys{WriteKey: NewKey("write"), QueryToken: NewKey("query"), AdminToken: NewKey("admin")}
}

func (k *Keys) write(dir string) error {
	text, err := strictyaml.Encode(k)
	if err == nil {
		err = durable.WriteFile(filepath.Join(dir, KeysFile), append([]byte(keysPreface), text...))
	}
	if err != nil {
		return fmt.Errorf("store keys: %w", err)
	}
	return nil
}

// FirstKeys returns the keys of the data directory dir's first start, as far as their file is still there and they are still those of the
// first workspace of its configuration.
func FirstKeys(dir string, config *workspace.Config) (Keys, error) {
	var k Keys
	text, err := os.ReadFile(filepath.Join(dir, KeysFile))
	if errors.Is(err, fs.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return k, fmt.Errorf("read first keys: %w", err)
	}
	if err := k.read(text); err != nil {
		return Keys{}, fmt.Errorf("%s is not as it was made: delete it, nothing needs it: %w", KeysFile, err)
	}
	first := config.Workspaces[0]
	keep := func(key *string, among []workspace.Secret) {
		if !slices.ContainsFunc(among, workspace.NewSecret(*key).Equal) {
			*key = ""
		}
	}
	var writeKeys []workspace.Secret
	for i := range first.Sources {
		writeKeys = append(writeKeys, first.Sources[i].WriteKeys...)
	}
	keep(&k.WriteKey, writeKeys)
	keep(&k.QueryToken, first.QueryTokens)
	keep(&k.AdminToken, config.AdminTokens)
	return k, nil
}

// read reads what write wrote. The error shows no key.
func (k *Keys) read(text []byte) error {
	document, err := strictyaml.Parse(text)
	if err != nil {
		return err
	}
	problems, err := document.Decode(k)
	return errors.Join(append(problems, err)...)
}

// LoadKeys returns the first keys of the data directory dir, with the configuration that is there.
func LoadKeys(dir string) (Keys, error) {
	config, err := Load(dir)
	if err != nil {
		return Keys{}, err
	}
	return FirstKeys(dir, config)
}
