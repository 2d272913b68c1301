// Package workspace is the configuration of workspaces: who may write and read, how strictly calls are taken, and which names an
// account's tier and lifecycle stage may have, and what else is to be known of accounts. It comes from one YAML file that the gateway and
// the services read alike, and follow while they run.
package workspace

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/sojournhq/sojourn/internal/kit/strictyaml"
)

// Config is everything in the file.
type Config struct {
	// AdminTokens read every workspace and do what only an admin may. None: nobody may. Each is valid.
	AdminTokens []Secret    `yaml:"admin_tokens,omitempty"`
	Workspaces  []Workspace `yaml:"workspaces"`
}

// Workspace is one tenant. Nothing of it is visible to another.
type Workspace struct {
	// ID is the workspace's name, for ever: data is stored under it.
	ID string `yaml:"id"`
	// QueryTokens read this workspace. Each is valid.
	QueryTokens []Secret `yaml:"query_tokens"`
	// QueryOrigins are the origins of the web pages that may read this workspace with a query token, as browsers name them:
	// "https://example.com". None: no page may.
	QueryOrigins []string `yaml:"query_origins,omitempty"`
	// Sources are where its calls come from.
	Sources []Source `yaml:"sources"`
	// Tiers and LifecycleStages are the names that the traits of an account may have.
	Tiers           []string `yaml:"tiers,omitempty"`
	LifecycleStages []string `yaml:"lifecycle_stages,omitempty"`
	// Dimensions are what is to be known of each account beside the contract's traits.
	Dimensions []Dimension `yaml:"dimensions,omitempty"`
	// SessionTimeout is the longest pause within a session, IdleCap the most that a pause counts as active time, and MaxSession the
	// longest a session may last. Not set: 30 minutes, 5 minutes and 24 hours.
	SessionTimeout *Duration `yaml:"session_timeout,omitempty"`
	IdleCap        *Duration `yaml:"idle_cap,omitempty"`
	MaxSession     *Duration `yaml:"max_session,omitempty"`
	// KeepRejected is for how long rejected calls are kept to be looked at, with what was sent. Not set: 7 days. 0s: not at all.
	KeepRejected *Duration `yaml:"keep_rejected,omitempty"`
}

// Source is one place that calls come from.
type Source struct {
	// ID is the source's name within the workspace.
	ID string `yaml:"id"`
	// WriteKeys send calls. Each is valid.
	WriteKeys []Secret `yaml:"write_keys"`
	// SharedSecrets sign its requests, each of them well; where there are any, it takes no request that none of them signed. An entry
	// "file:PATH" stands for the secret in a file, whose path is relative to the workspaces file; once that is loaded, the secret itself
	// is here.
	SharedSecrets []string `yaml:"shared_secrets,omitempty"`
	// SecretFiles says of each of SharedSecrets by what path the workspaces file names the file that it is from; "" of one that stands in
	// the workspaces file itself. Nil: all do.
	SecretFiles []string `yaml:"-"`
	// RequireAnonymousID and RequireUserID reject calls without these ids. Not set: such calls are accepted, with a warning.
	RequireAnonymousID bool `yaml:"require_anonymous_id,omitempty"`
	RequireUserID      bool `yaml:"require_user_id,omitempty"`
	// AllowDelete takes delete calls of a source that does not sign its requests. Not set: no. A write key may stand in a web page, and
	// whoever reads it there must not be able to delete anybody.
	AllowDelete bool `yaml:"allow_delete,omitempty"`
	// MaxClockSkew is how wrong a sender's clock may be before event times are corrected. Not set: 5 minutes.
	MaxClockSkew *Duration `yaml:"max_clock_skew,omitempty"`
	// AbsentIDs are texts that broken clients send for "no id", as IsAbsentID reads them. Not set: DefaultAbsentIDs.
	AbsentIDs AbsentIDs `yaml:"absent_ids,omitempty"`
	// Limits are how much it may send. Not set: as much as it likes.
	Limits Limits `yaml:"limits,omitempty"`
	// Mapping says where this source's calls have what Sojourn wants to know. Not set: where the contract says.
	Mapping *Mapping `yaml:"mapping,omitempty"`
	// Ignore says which calls are left out: those that meet any of these conditions. Not set: none.
	Ignore []Condition `yaml:"ignore,omitempty"`
}

// DefaultMaxClockSkew is how wrong a sender's clock may be before event times are corrected.
const DefaultMaxClockSkew = 5 * time.Minute

// Limits of the session settings. A session of at most a day touches at most two days, which the daily sums of time build on.
const (
	MinSessionSetting = time.Second
	MaxSessionSetting = 24 * time.Hour
)

// Load reads and checks the file at path. The error names every problem.
func Load(path string) (*Config, error) {
	text, err := read(path)
	if err != nil {
		return nil, err
	}
	l := parse(path, text)
	return l.config, l.err
}

// LoadWithoutSecrets is Load for those who check no signatures: of shared secrets only whether there are any is known, and the files that
// hold them are not read.
func LoadWithoutSecrets(path string) (*Config, error) {
	text, err := read(path)
	if err != nil {
		return nil, err
	}
	l := parseWithoutSecrets(path, text)
	return l.config, l.err
}

func read(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read workspaces: %w", err)
	}
	return text, nil
}

// loaded is what a file and those that it names hold, or what is wrong with them.
type loaded struct {
	config  *Config
	secrets []secretFile
	err     error
}

func parse(path string, text []byte) loaded {
	return parseWith(path, text, func(c *Config) []secretFile { return c.resolveSecrets(filepath.Dir(path), readSecretFile) })
}

func parseWithoutSecrets(path string, text []byte) loaded {
	return parseWith(path, text, (*Config).dropSecrets)
}

// parseWith parses a file whose shared secrets are what the function makes of them; it returns the files that it read.
func parseWith(path string, text []byte, secrets func(*Config) []secretFile) loaded {
	d, err := decode(text)
	if err != nil {
		return loaded{err: fmt.Errorf("%s: %w", path, err)}
	}
	l := loaded{config: d.config, secrets: secrets(d.config)}
	if err := d.check(); err != nil {
		l.config, l.err = nil, fmt.Errorf("%s: %w", path, err)
	}
	return l
}

// Parse reads and checks a configuration that names no files. Unknown fields are errors; the error names every problem by
// where it stands, and shows no key.
func Parse(text []byte) (*Config, error) {
	d, err := decode(text)
	if err != nil {
		return nil, err
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	return d.config, nil
}

// decoded is what could be read of a text, where everything stands in it, and what could not be read.
type decoded struct {
	config   *Config
	document *strictyaml.Document
	problems []error
}

func decode(text []byte) (decoded, error) {
	document, err := strictyaml.Parse(text)
	if err != nil {
		return decoded{}, err
	}
	d := decoded{config: &Config{}, document: document}
	d.problems, err = document.Decode(d.config)
	return d, err
}

// check returns every problem at once, of what could be read and of what could not.
func (d *decoded) check() error {
	return errors.Join(append(d.problems, d.document.Locate(d.config.check())...)...)
}
