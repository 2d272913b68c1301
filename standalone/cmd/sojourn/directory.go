package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/standalone/internal/setup"
)

// directory is the data of a sojourn that is stopped, and the workspaces file that goes with it.
type directory struct{ dir, workspaces string }

// define adds the flags for it to a set.
func (d *directory) define(flags *flag.FlagSet) {
	flags.StringVar(&d.dir, "data", defaultData, "data directory of a sojourn that is stopped")
	d.defineWorkspaces(flags)
}

func (d *directory) defineWorkspaces(flags *flag.FlagSet) {
	flags.StringVar(&d.workspaces, "workspaces", "", "workspaces file; "+setup.File+" in -data if not given")
}

// workspacesPath is where the workspaces file is.
func (d *directory) workspacesPath() string {
	if d.workspaces != "" {
		return d.workspaces
	}
	return filepath.Join(d.dir, setup.File)
}

// check returns an error if a workspaces file is named that is not there.
func (d *directory) check() error {
	if d.workspaces == "" {
		return nil
	}
	if _, err := os.Stat(d.workspaces); err != nil {
		return fmt.Errorf("-workspaces: %w", err)
	}
	return nil
}

// load returns the configuration without the shared secrets: nobody sends calls to what is stopped.
func (d *directory) load() (*workspace.Config, error) {
	return workspace.LoadWithoutSecrets(d.workspacesPath())
}
