// Command licences lists the modules that the programs are made of, with their versions and licences, as Markdown. It fails on a licence
// that it does not know: somebody must read that one.
package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// phrases are of the licences that may be among them; each is in no other licence's text.
var phrases = []struct{ id, phrase string }{
	{"Apache-2.0", "apache license version 2.0"},
	{"MIT", "permission is hereby granted, free of charge, to any person obtaining a copy of this software"},
	{"ISC", "permission to use, copy, modify, and/or distribute this software for any purpose with or without fee"},
	{"MPL-2.0", "mozilla public license version 2.0"},
	{"BSD-3-Clause", "may be used to endorse or promote products derived from this software"},
	{"BSD-2-Clause", "redistributions in binary form must reproduce the above copyright"},
}

// programs are what is shipped.
var programs = []string{
	"./gateway/cmd/gatewayd", "./services/events/cmd/eventsd", "./services/identity/cmd/identityd", "./services/sessions/cmd/sessionsd",
	"./standalone/cmd/sojourn",
}

const head = `# Dependencies

The modules that the programs are made of, beside Go's standard library. Made by ` + "`make licences`" + `; a test keeps it up to date.

| module | version | licence |
|---|---|---|
`

func main() {
	root := ".."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	if err := list(root, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

// list writes the table for the workspace in a directory.
func list(root string, to io.Writer) error {
	command := exec.Command("go", append([]string{ //nolint:gosec,noctx // of programs above; an interrupt ends both
		"list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}",
	}, programs...)...)
	command.Dir, command.Stderr = root, os.Stderr
	command.Env = append(os.Environ(), "GOWORK=", "GOFLAGS=", "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	listed, err := command.Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	modules := strings.Split(strings.TrimSpace(string(listed)), "\n")
	slices.Sort(modules)
	var table bytes.Buffer
	table.WriteString(head)
	for _, module := range slices.Compact(modules) {
		fields := strings.Fields(module)
		if len(fields) != 3 {
			return fmt.Errorf("go list said %q", module)
		}
		licence, err := licenceIn(fields[2])
		if err != nil {
			return fmt.Errorf("%s: %w", fields[0], err)
		}
		_, _ = fmt.Fprintf(&table, "| %s | %s | %s |\n", fields[0], fields[1], licence)
	}
	_, err = table.WriteTo(to)
	return err
}

// licenceIn names the licences of the module in a directory.
func licenceIn(dir string) (string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "LICEN[SC]E*"))
	more, moreErr := filepath.Glob(filepath.Join(dir, "COPYING*"))
	if err := errors.Join(err, moreErr); err != nil {
		return "", err
	}
	var names []string
	for _, file := range append(files, more...) {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		names = append(names, licencesIn(string(text))...)
	}
	slices.SortFunc(names, cmp.Compare[string])
	if names = slices.Compact(names); len(names) == 0 {
		return "", errors.New("no licence is known in it: read it")
	}
	return strings.Join(names, ", "), nil
}

// licencesIn names the licences whose text a file holds.
func licencesIn(text string) (names []string) {
	words := strings.ToLower(strings.NewReplacer("*", " ", "//", " ", ", version", " version").Replace(text))
	words = strings.Join(strings.Fields(words), " ")
	for _, l := range phrases {
		if !strings.Contains(words, l.phrase) || l.id == "BSD-2-Clause" && slices.Contains(names, "BSD-3-Clause") {
			continue
		}
		names = append(names, l.id)
	}
	return names
}
