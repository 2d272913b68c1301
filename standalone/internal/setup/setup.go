// Package setup makes a data directory ready on its first use: one workspace, with keys of its own that nobody has had before.
package setup

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/standalone/internal/wholefile"
)

// File is the name of the workspaces file in a data directory.
const File = "workspaces.yaml"

const preface = `# Who may write to and read from this Sojourn. Made on first start; edit it as you like, it is followed.
# Keys are secrets: whoever has a write key can send calls, whoever has a query token can read its workspace, and the admin token reads
# everything. "tiers" and "lifecycle_stages" are the names that accounts may have. More can be set: docs/operations.md.
`

// Load returns the configuration in the data directory dir; fs.ErrNotExist if there is none.
func Load(dir string) (*workspace.Config, error) { return workspace.Load(filepath.Join(dir, File)) }

// Workspaces returns the configuration in the data directory dir. If there is none yet, it makes the directory and one workspace
// "default" with a source "web", and stores it with fresh keys, readable by the owner alone.
func Workspaces(dir string) (*workspace.Config, error) {
	path := filepath.Join(dir, File)
	config, err := Load(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return config, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	config = fresh()
	text, err := config.Encode()
	if err != nil {
		return nil, err
	}
	if err := wholefile.Write(path, append([]byte(preface), text...)); err != nil {
		return nil, fmt.Errorf("store keys: %w", err)
	}
	return config, nil
}

// Watch is Workspaces for those who run on: what it returns follows the file until it is closed.
func Watch(dir string, log *slog.Logger) (*workspace.Watched, error) {
	if _, err := Workspaces(dir); err != nil {
		return nil, err
	}
	return workspace.Watch(filepath.Join(dir, File), log)
}

func fresh() *workspace.Config {
	return &workspace.Config{
		AdminToken: "admin_" + rand.Text(),
		Workspaces: []workspace.Workspace{{
			ID:              "default",
			QueryTokens:     []string{"query_" + rand.Text()},
			Tiers:           []string{"trial", "starter", "growth", "enterprise"},
			LifecycleStages: []string{"onboarding", "adoption", "renewal", "at risk"},
			Sources:         []workspace.Source{{ID: "web", WriteKeys: []string{"write_" + rand.Text()}}},
		}},
	}
}
