package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/peterbourgon/ff/v3/ffcli"

	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"

	"github.com/sojournhq/sojourn/standalone/internal/watch"
)

// watcher is what `sojourn watch` is told by its flags.
type watcher struct {
	remote

	dir          string
	cursor, file string
	fromNow      bool
}

func watchCommand(stdout, stderr io.Writer) *ffcli.Command {
	var w watcher
	flags := newFlags("sojourn watch", stderr)
	w.define(flags, "http://127.0.0.1:8080", "where sojourn is running")
	flags.StringVar(&w.dir, "data", defaultData, "its data directory, for the first query token unless "+queryTokenVariable+" is set")
	flags.StringVar(&w.cursor, "cursor", "", "go on behind the change with this cursor; without one, begin with the oldest that is kept")
	flags.BoolVar(&w.fromNow, "from-now", false, "without a cursor, begin with what happens from now on")
	flags.StringVar(&w.file, "cursor-file", "", "keep the cursor of the last line in this file, and go on from there the next time")
	return &ffcli.Command{
		Name:       "watch",
		ShortUsage: "sojourn watch [flags]",
		ShortHelp:  "print sessions as lines of JSON as they end, and as they change later",
		FlagSet:    flags,
		Options:    options(),
		Exec:       noArguments(func(ctx context.Context) error { return w.run(ctx, stdout, stderr) }),
	}
}

func (w *watcher) run(ctx context.Context, stdout, stderr io.Writer) error {
	if w.cursor != "" && (w.fromNow || w.file != "") {
		return errors.New("-cursor goes neither with -from-now nor with -cursor-file")
	}
	token, err := queryToken(w.dir)
	if err != nil {
		return err
	}
	follow := watch.Watch{Cursor: w.cursor, FromNow: w.fromNow, Lost: func(reason string) {
		_, _ = fmt.Fprintf(stderr, "sojourn: the stream is lost (%s); trying again until it is back\n", reason)
	}}
	if w.file != "" {
		file := watch.File(w.file)
		if follow.Cursor, err = file.Cursor(); err != nil {
			return err
		}
		follow.Keep = func(cursor string) error {
			if err := settle(stdout); err != nil {
				return err
			}
			return file.Keep(cursor)
		}
	}
	conn, err := w.dial(token)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	follow.Service = sessionsv1.NewQueryServiceClient(conn)
	return follow.Run(ctx, stdout)
}

// settle makes lines that are printed into a file outlast a power cut, as their cursor will.
func settle(stdout io.Writer) error {
	file, ok := stdout.(*os.File)
	if !ok {
		return nil
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	return file.Sync()
}
