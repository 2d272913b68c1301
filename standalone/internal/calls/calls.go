// Package calls prints calls: as they are received, and those that were refused. A line is for people, or a JSON object.
package calls

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"google.golang.org/grpc"

	"github.com/sojournhq/sojourn/internal/kit/terminal"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"

	"github.com/sojournhq/sojourn/standalone/internal/follow"
)

// Tail prints calls as they are received.
type Tail struct {
	// Service tells of them.
	Service identityv1.QueryServiceClient
	// Request says of which.
	Request *identityv1.TailCallsRequest
	// JSON prints JSON in place of lines for people.
	JSON bool
	// Lost is called once whenever the stream was lost, and before another is tried. What is received until then is missing.
	Lost func(reason string)
}

// Run prints to out until ctx ends, and then returns nil. It returns an error when writing fails, or when the service refuses:
// *follow.RefusedError.
func (t Tail) Run(ctx context.Context, out io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var failed error
	err := follow.Stream[identityv1.TailCallsResponse]{
		Open: func(ctx context.Context) (grpc.ServerStreamingClient[identityv1.TailCallsResponse], error) {
			return t.Service.TailCalls(ctx, t.Request)
		},
		Take: func(_ context.Context, m *identityv1.TailCallsResponse) error {
			if failed = t.print(out, m); failed != nil {
				stop() // or it would be tried again
			}
			return failed
		},
		Lost: t.Lost,
	}.Run(ctx)
	if failed != nil {
		return fmt.Errorf("print a call: %w", failed)
	}
	return err
}

func (t Tail) print(out io.Writer, m *identityv1.TailCallsResponse) error {
	switch {
	case m.GetMissed() > 0 && t.JSON:
		return terminal.JSON(out).Encode(missed{m.GetMissed()})
	case m.GetMissed() > 0:
		_, err := fmt.Fprintf(out, "… %d calls were missed here, because they came faster than they could be told\n", m.GetMissed())
		return err
	case m.GetCall() == nil:
		return nil // the beginning
	case t.JSON:
		return terminal.JSON(out).Encode(lineOf(m.GetCall()))
	}
	return printCall(out, m.GetCall())
}

// Rejected prints calls that were rejected.
type Rejected struct {
	// Service lists them.
	Service identityv1.QueryServiceClient
	// Request says which; pages are turned.
	Request *identityv1.ListRejectedCallsRequest
	// Limit is how many are printed at most.
	Limit int
	// JSON prints JSON in place of lines for people.
	JSON bool
}

// pageSize is how many rejected calls are asked for at once.
const pageSize = 100

// Print prints them, the latest first.
func (p Rejected) Print(ctx context.Context, to io.Writer) error {
	out, r, limit := bufio.NewWriter(to), p.Request, p.Limit
	for more := true; more && limit > 0; {
		r.PageSize = int32(min(limit, pageSize))
		page, err := p.Service.ListRejectedCalls(ctx, r)
		if err != nil {
			return fmt.Errorf("list rejected calls: %w", err)
		}
		for _, c := range page.GetCalls() {
			if p.JSON {
				err = terminal.JSON(out).Encode(rejectedLine(c))
			} else {
				err = printRejection(out, c, "2006-01-02 15:04:05")
			}
			if err != nil {
				return fmt.Errorf("print a call: %w", err)
			}
		}
		limit -= len(page.GetCalls())
		r.PageToken = page.GetNextPageToken()
		more = r.GetPageToken() != ""
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("print calls: %w", err)
	}
	return nil
}
