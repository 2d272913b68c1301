package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/standalone/internal/setup"
)

func newKeyCommand(stdout, stderr io.Writer) *ffcli.Command {
	return &ffcli.Command{
		Name:       "new-key",
		ShortUsage: "sojourn new-key write|query|admin",
		ShortHelp:  "print a new key and the hash to put into the workspaces file in its place",
		FlagSet:    newFlags("sojourn new-key", stderr),
		Exec: func(_ context.Context, args []string) error {
			if len(args) != 1 {
				return errors.New("say what the key is for: write, query or admin")
			}
			list, ok := map[string]string{"write": "write_keys", "query": "query_tokens", "admin": "admin_tokens"}[args[0]]
			if !ok {
				return fmt.Errorf("a key is for write, query or admin, not %q", args[0])
			}
			key := setup.NewKey(args[0])
			_, err := fmt.Fprintf(stdout, "%s\n%s\n", key, workspace.NewSecret(key).Hashed())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(stderr, "The first line is the key, kept nowhere else; the second goes into %s.\n", list)
			return err
		},
	}
}
