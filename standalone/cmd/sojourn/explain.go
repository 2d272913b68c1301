package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/standalone/internal/explain"
	"github.com/sojournhq/sojourn/standalone/internal/setup"
)

// explainer is what `sojourn explain` is told by its flags.
type explainer struct {
	dir, file, workspace, source, callType string
	json                                   bool
}

func explainCommand(stdin io.Reader, stdout, stderr io.Writer) *ffcli.Command {
	var e explainer
	flags := newFlags("sojourn explain", stderr)
	flags.StringVar(&e.dir, "data", defaultData, "data directory whose workspaces file counts")
	flags.StringVar(&e.file, "workspaces", "", "workspaces file, in place of the one in -data")
	flags.StringVar(&e.workspace, "workspace", "", "workspace of the source; needed if several have one of that name")
	flags.StringVar(&e.source, "source", "", "source that the call would be sent to; needed if there are several")
	flags.StringVar(&e.callType, "type", "", "type that the path of the request would say, as track of /v1/track")
	flags.BoolVar(&e.json, "json", false, "print JSON")
	return &ffcli.Command{
		Name:       "explain",
		ShortUsage: "sojourn explain FILE|- [flags]",
		ShortHelp:  "say what a call, or each call of a batch, would become if it were sent, and why; nothing is sent",
		FlagSet:    flags,
		Options:    options(),
		Exec: func(_ context.Context, args []string) error {
			name, err := fileAndFlags(flags, args)
			if err != nil {
				return err
			}
			return e.explain(name, stdin, stdout)
		},
	}
}

// fileAndFlags returns the file that is named, and reads the flags behind it, which the flags in front of it have left.
func fileAndFlags(flags *flag.FlagSet, args []string) (string, error) {
	if len(args) == 0 {
		return "", errors.New("say which file holds the call, or - for standard input")
	}
	if err := flags.Parse(args[1:]); err != nil {
		return "", err
	}
	if flags.NArg() > 0 {
		return "", fmt.Errorf("one file at a time: %q is one too many", flags.Arg(0))
	}
	return args[0], nil
}

// maxExplained is how much is read of a file; more than is ever taken of a sender.
const maxExplained = 64 << 20

func (e *explainer) explain(name string, stdin io.Reader, stdout io.Writer) error {
	source, err := e.find()
	if err != nil {
		return err
	}
	how := gateway.Explanation{Source: source, Received: time.Now()}
	if e.callType != "" {
		if how.Type = call.ParseType(e.callType); how.Type == 0 {
			return errors.New("-type is not track, identify, group, page, screen, alias or delete")
		}
	}
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		stdin = file
	}
	body, err := io.ReadAll(io.LimitReader(stdin, maxExplained))
	if err != nil {
		return fmt.Errorf("read the call: %w", err)
	}
	explained := gateway.Explain(body, how)
	if e.json {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(explained)
	}
	return explain.Write(stdout, &explained)
}

// find returns the source that is meant.
func (e *explainer) find() (*workspace.Source, error) {
	file := e.file
	if file == "" {
		file = filepath.Join(e.dir, setup.File)
	}
	config, err := workspace.LoadWithoutSecrets(file)
	if err != nil {
		return nil, err
	}
	var meant []*workspace.Source
	for i := range config.Workspaces {
		w := &config.Workspaces[i]
		for j := range w.Sources {
			if s := &w.Sources[j]; (e.workspace == "" || e.workspace == w.ID) && (e.source == "" || e.source == s.ID) {
				meant = append(meant, s)
			}
		}
	}
	switch len(meant) {
	case 0:
		return nil, fmt.Errorf("there is no such source in %s", file)
	case 1:
		return meant[0], nil
	default:
		return nil, fmt.Errorf("%d sources in %s could be meant: name one with -source, and its -workspace if need be", len(meant), file)
	}
}
