// Package setup makes a data directory ready on its first use: one workspace, with keys of its own that nobody has had before.
package setup

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/durable"
	"github.com/sojournhq/sojourn/services/events"
	"github.com/sojournhq/sojourn/services/identity"
	"github.com/sojournhq/sojourn/services/sessions"
)

// File is the name of the workspaces file in a data directory.
const File = "workspaces.yaml"

const preface = `# Who may write to and read from this Sojourn. Made on first start; edit it as you like, it is followed.
# Whoever has a write key can send calls, whoever has a query token can read its workspace, and an admin token reads everything and deletes.
# Here stand only their hashes: "sojourn new-key" prints a new one with its hash. Several of a kind are valid at once.
# "tiers" and "lifecycle_stages" are the names that accounts may have. More can be set: docs/operations.md.
`

// ErrNoWorkspaces says that there is data, but no workspaces file. Its text says what to do.
var ErrNoWorkspaces = errors.New("there is data, but no workspaces file")

// Load returns the configuration in the data directory dir; fs.ErrNotExist if there is none.
func Load(dir string) (*workspace.Config, error) { return workspace.Load(filepath.Join(dir, File)) }

// Workspaces returns the configuration in the data directory dir. If there is none yet, it makes the directory and one workspace
// "default" with a source "web", and stores it with the hashes of fresh keys, and these in a file of their own: see FirstKeys. Both are
// readable by the owner alone. Where there is data it makes nothing: ErrNoWorkspaces.
func Workspaces(dir string) (*workspace.Config, error) {
	if err := prepare(dir); err != nil {
		return nil, err
	}
	return Load(dir)
}

// prepare makes the configuration where it is to be made. It also removes what a first start that was cut off left of its files.
func prepare(dir string) error {
	if err := durable.MkdirAll(dir); err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	return boltdb.Locked(dir, func() error {
		if err := errors.Join(durable.RemoveNew(filepath.Join(dir, File)), durable.RemoveNew(filepath.Join(dir, KeysFile))); err != nil {
			return fmt.Errorf("remove what a crash left: %w", err)
		}
		if isFirst, err := isFirstStart(dir); err != nil || !isFirst {
			return err
		}
		return first(dir)
	})
}

// isFirstStart says whether there is no configuration in a directory, and one is to be made.
func isFirstStart(dir string) (bool, error) {
	if err := boltdb.Unfinished(dir); err != nil {
		return false, err
	}
	path := filepath.Join(dir, File)
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if hasData(dir) {
		return false, missing(path, dir)
	}
	return true, nil
}

// missing says what to do about a workspaces file that is not there. Fresh keys would lock out all who have the old ones.
func missing(path, dir string) error {
	return fmt.Errorf("%w: %s says who may send to what is in %s and read it. Put it back, restore it from a backup "+
		"(sojourn restore -only workspaces -from BACKUP -data %s), or name another by -workspaces", ErrNoWorkspaces, path, dir, dir)
}

// hasData says whether a directory holds data files, logs of them, or what names them.
func hasData(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		file, _, _ := strings.Cut(e.Name(), ".log-")
		return slices.Contains([]string{identity.File, events.File, sessions.File, boltdb.ManifestFile}, file)
	})
}

// first makes the configuration of a first start, and stores it.
func first(dir string) error {
	keys := freshKeys()
	text, err := fresh(&keys).Encode()
	if err != nil {
		return err
	}
	// The keys come first: without the workspaces, the next start makes both anew.
	if err := keys.write(dir); err != nil {
		return err
	}
	if err := durable.WriteFile(filepath.Join(dir, File), append([]byte(preface), text...)); err != nil {
		return fmt.Errorf("store workspaces: %w", err)
	}
	return nil
}

// Watch is Workspaces for those who run on: what it returns follows the file until it is closed. Where a file is named, it is that one,
// which must be there.
func Watch(dir, file string, log *slog.Logger) (*workspace.Watched, error) {
	if file != "" {
		return workspace.Watch(file, log)
	}
	if err := prepare(dir); err != nil {
		return nil, err
	}
	return workspace.Watch(filepath.Join(dir, File), log)
}

// Check says what Watch would, and makes nothing: fs.ErrNotExist where the first start would make a configuration.
func Check(dir, file string) error {
	if file != "" {
		_, err := workspace.Load(file)
		return err
	}
	if _, err := isFirstStart(dir); err != nil {
		return err
	}
	_, err := Load(dir)
	return err
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
