// Package program builds the programs of Sojourn and runs them for tests that look at them from outside.
package program

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Sojourn is everything in one process.
const Sojourn = "sojourn"

// packages has where the programs are, below the root of the source tree.
var packages = map[string]string{
	Sojourn:     "./standalone/cmd/sojourn",
	"gatewayd":  "./gateway/cmd/gatewayd",
	"identityd": "./services/identity/cmd/identityd",
	"eventsd":   "./services/events/cmd/eventsd",
	"sessionsd": "./services/sessions/cmd/sessionsd",
}

// Mains are the directories of the programs' packages main in the source tree at root.
func Mains(root string) (dirs []string) {
	for _, dir := range packages {
		dirs = append(dirs, filepath.Join(root, dir))
	}
	return dirs
}

// All are the names of all programs.
func All() (names []string) {
	for name := range packages {
		names = append(names, name)
	}
	return names
}

// Build builds programs of the source tree at root into the directory out, with more flags for go build if there are any.
func Build(root, out string, names []string, flags ...string) error {
	args := append([]string{"build", "-o", out + string(filepath.Separator)}, flags...)
	for _, name := range names {
		args = append(args, packages[name])
	}
	build := exec.Command("go", args...)
	build.Dir, build.Stdout, build.Stderr = root, os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build the programs: %w", err)
	}
	return nil
}
