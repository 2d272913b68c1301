// Package setup makes a data directory ready on its first use: one workspace, with keys of its own that nobody has had before.
package setup

import (
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
# Whoever has a write key can send calls, whoever has a query token can read its workspace, and an admin token reads everything and deletes.
# Here stand only their hashes: "sojourn new-key" prints a new one with its hash. Several of a kind are valid at once.
# "tiers" and "lifecycle_stages" are the names that accounts may have. More can be set: docs/operations.md.
`

// Load returns the configuration in the data directory dir; fs.ErrNotExist if there is none.
func Load(dir string) (*workspace.Config, error) { return workspace.Load(filepath.Join(dir, File)) }

// Workspaces returns the configuration in the data directory dir. If there is none yet, it makes the directory and one workspace
// "default" with a source "web", and stores it with the hashes of fresh keys, and these in a file of their own: see FirstKeys. Both are
// readable by the owner alone.
func Workspaces(dir string) (*workspace.Config, error) {
	config, err := Load(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return config, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	keys := freshKeys()
	config = fresh(&keys)
	text, err := config.Encode()
	if err != nil {
		return nil, err
	}
	// The keys come first: without the workspaces, the next start makes both anew.
	if err := keys.write(dir); err != nil {
		return nil, err
	}
	if err := wholefile.Write(filepath.Join(dir, File), append([]byte(preface), text...)); err != nil {
		return nil, fmt.Errorf("store workspaces: %w", err)
	}
	return config, nil
}

// Watch is Workspaces for those who run on: what it returns follows the file until it is closed.
func Watch(dir string, log *slog.Logger) (*workspace.Watched, error) {
	path := filepath.Join(dir, File)
	watched, err := workspace.Watch(path, log)
	if !errors.Is(err, fs.ErrNotExist) {
		return watched, err
	}
	if _, err := Workspaces(dir); err != nil {
		return nil, err
	}
	return workspace.Watch(path, log)
}

func fresh(k *Keys) *workspace.Config {
	return &workspace.Config{
		AdminTokens: workspace.NewSecrets(k.AdminToken),
		Workspaces: []workspace.Workspace{{
			ID:              "default",
			QueryTokens:     workspace.NewSecrets(k.QueryToken),
			Tiers:           []string{"trial", "starter", "growth", "enterprise"},
			LifecycleStages: []string{"onboarding", "adoption", "renewal", "at risk"},
			Sources:         []workspace.Source{{ID: "web", WriteKeys: workspace.NewSecrets(k.WriteKey)}},
		}},
	}
}
