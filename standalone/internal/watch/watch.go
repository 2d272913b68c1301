// Package watch follows what happens to the sessions of a workspace and prints it, one JSON object a line.
//
// A change is printed first, and its cursor kept then. So after a crash some lines may be printed twice, but none is missing, and (id,
// revision) tells the copies. When the stream ends, as it does when a server restarts, another is opened from the last cursor.
package watch

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"golang.org/x/sync/errgroup"

	"github.com/sojournhq/sojourn/internal/kit/terminal"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
)

// linesAtOnce is after how many lines their cursor is kept while more are waiting; it is also how many may wait.
const linesAtOnce = 100

// Watch is what to follow, and whom to tell.
type Watch struct {
	// Service tells the changes.
	Service sessionsv1.QueryServiceClient
	// Cursor is that of the last change that is known. Empty: begin with the oldest that the service still has, or with FromNow with the
	// next that happens.
	Cursor  string
	FromNow bool
	// Keep, if there is one, is called with the cursor of the last line when it and those before have been written: at once when no other
	// is waiting, and else from time to time.
	Keep func(cursor string) error
	// Lost is called once whenever the stream was lost, and before another is tried.
	Lost func(reason string)
}

// Run prints to out until ctx ends, and then returns nil. It returns an error when writing or keeping fails, or when the service refuses to
// go on, which following does not try again.
func (w Watch) Run(ctx context.Context, out io.Writer) error {
	group, ctx := errgroup.WithContext(ctx)
	changes := make(chan *sessionsv1.WatchSessionsResponse, linesAtOnce)
	group.Go(func() error {
		defer close(changes)
		return w.follow(ctx, changes)
	})
	group.Go(func() error { return w.print(changes, out) })
	return group.Wait()
}

// print prints changes until there are no more.
func (w Watch) print(changes <-chan *sessionsv1.WatchSessionsResponse, out io.Writer) error {
	lines := bufio.NewWriter(out)
	encoder := terminal.JSON(lines)
	held := 0
	for change := range changes {
		if change.GetKind() != sessionsv1.ChangeKind_CHANGE_KIND_BEGIN { // which is a cursor to keep, and nothing to print
			if err := encoder.Encode(lineOf(change)); err != nil {
				return fmt.Errorf("print a change: %w", err)
			}
		}
		if held++; held < linesAtOnce && len(changes) > 0 {
			continue
		}
		held = 0
		if err := w.settle(lines, change.GetCursor()); err != nil {
			return err
		}
	}
	return nil
}

// settle writes the lines that are held back, and keeps the cursor of the last.
func (w Watch) settle(lines *bufio.Writer, cursor string) error {
	if err := lines.Flush(); err != nil {
		return fmt.Errorf("print a change: %w", err)
	}
	if w.Keep == nil {
		return nil
	}
	if err := w.Keep(cursor); err != nil {
		return fmt.Errorf("keep the cursor: %w", err)
	}
	return nil
}
