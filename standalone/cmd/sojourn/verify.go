package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/soundness"
	"github.com/sojournhq/sojourn/services/events"
	"github.com/sojournhq/sojourn/services/identity"
	"github.com/sojournhq/sojourn/services/sessions"
)

func verifyCommand(stdout, stderr io.Writer) *ffcli.Command {
	flags := newFlags("sojourn verify", stderr)
	dir := flags.String("data", defaultData, "data directory of a sojourn that is stopped")
	return &ffcli.Command{
		Name:       "verify",
		ShortUsage: "sojourn verify [-data DIR]",
		ShortHelp:  "prove that a data directory, also that of one daemon, is sound, or name what is not",
		FlagSet:    flags,
		Options:    options(),
		Exec:       noArguments(func(ctx context.Context) error { return verify(ctx, *dir, stdout) }),
	}
}

// verify prints everything that is not sound, a line each, and what is. It looks at every file before it fails.
func verify(ctx context.Context, dir string, stdout io.Writer) error {
	unsound, unread, absent := 0, 0, 0
	if err := boltdb.Unfinished(dir); err != nil {
		return err
	}
	var kept []error // from looking
	services := []struct {
		file   string
		verify func(context.Context, func(soundness.Problem)) error
	}{
		{identity.File, func(ctx context.Context, found func(soundness.Problem)) error {
			return identity.Verify(ctx, identity.Config{Dir: dir}, found)
		}},
		{events.File, func(ctx context.Context, found func(soundness.Problem)) error {
			return events.Verify(ctx, events.Config{Dir: dir}, found)
		}},
		{sessions.File, func(ctx context.Context, found func(soundness.Problem)) error {
			return sessions.Verify(ctx, sessions.Config{Dir: dir}, found)
		}},
	}
	for _, service := range services {
		problems := 0
		err := service.verify(ctx, func(p soundness.Problem) {
			problems++
			_, _ = fmt.Fprintf(stdout, "%s: %s\n", service.file, p)
		})
		verdict := "sound"
		switch {
		case errors.Is(err, fs.ErrNotExist): // and the directory does not say that it was ever there, as in that of another daemon
			verdict = "not here"
			absent++
		case err != nil:
			verdict = err.Error()
			unread++
			kept = append(kept, err)
		case problems > 0:
			verdict = fmt.Sprintf("%d problems", problems)
			unsound++
		}
		if _, err := fmt.Fprintf(stdout, "%s: %s\n", service.file, verdict); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(kept, func(err error) bool { return errors.Is(err, boltdb.ErrLocked) }) {
		return fmt.Errorf("%w: verify examines a sojourn that is stopped", boltdb.ErrLocked)
	}
	if absent == len(services) {
		return fmt.Errorf("there is no data in %s", dir)
	}
	if unsound+unread > 0 {
		return fmt.Errorf("of %d files %d are not sound, and %d could not be examined", len(services), unsound, unread)
	}
	return nil
}
