// Package dump prints the whole state of Sojourn as lines of JSON in one canonical order, so that two states can be compared with diff.
//
// It asks the services' query APIs, page by page, as any client would, so a stopped data directory and a running system print the same.
package dump

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
)

const pageSize = 1000

// Source is where the query APIs of the three services are reached; at a gateway all by the same connection. What a service that is nil
// would say is not printed.
type Source struct {
	Identity, Events, Sessions grpc.ClientConnInterface
	// Workspaces names those to print. Nil: all that identity knows.
	Workspaces []string
}

// Write prints all workspaces by name, and of each its events by time and messageId, users by userId and account, accounts by id,
// sessions by start, anonymousId and first messageId, and outcomes by source and type. What it prints of a system that takes calls
// meanwhile is no state that the system ever had.
func Write(ctx context.Context, from Source, to io.Writer) error {
	buffered := bufio.NewWriter(to)
	p := &printer{
		identity: identityv1.NewQueryServiceClient(from.Identity),
		events:   eventsv1.NewQueryServiceClient(from.Events),
		sessions: sessionsv1.NewQueryServiceClient(from.Sessions),
		encoder:  json.NewEncoder(buffered),
	}
	p.encoder.SetEscapeHTML(false)
	workspaces := from.Workspaces
	if workspaces == nil && from.Identity != nil {
		known, err := p.identity.ListWorkspaces(ctx, &identityv1.ListWorkspacesRequest{})
		if err != nil {
			return fmt.Errorf("list workspaces: %w", err)
		}
		workspaces = known.GetWorkspaces()
	}
	for _, workspace := range workspaces {
		if err := p.printWorkspace(ctx, from, workspace); err != nil {
			return err
		}
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("write dump: %w", err)
	}
	return nil
}

// printWorkspace prints what the services that are there have of a workspace.
func (p *printer) printWorkspace(ctx context.Context, from Source, workspace string) error {
	for _, part := range []struct {
		name  string
		of    grpc.ClientConnInterface
		print func(context.Context, string) error
	}{
		{"events", from.Events, p.printEvents},
		{"users", from.Identity, p.printUsers},
		{"accounts", from.Identity, p.printAccounts},
		{"sessions", from.Sessions, p.printSessions},
		{"outcomes", from.Identity, p.printOutcomes},
	} {
		if part.of == nil {
			continue
		}
		if err := part.print(ctx, workspace); err != nil {
			return fmt.Errorf("dump %s of workspace %q: %w", part.name, workspace, err)
		}
	}
	return nil
}

// printer prints lines.
type printer struct {
	identity identityv1.QueryServiceClient
	events   eventsv1.QueryServiceClient
	sessions sessionsv1.QueryServiceClient
	encoder  *json.Encoder
}

// eachPage calls page with one page token after the other, until it returns none.
func eachPage(page func(token string) (next string, err error)) error {
	for token := ""; ; {
		next, err := page(token)
		if err != nil || next == "" {
			return err
		}
		token = next
	}
}

// printAll prints one line for each item.
func printAll[Item, Line any](p *printer, items []Item, line func(Item) Line) error {
	for _, item := range items {
		if err := p.encoder.Encode(line(item)); err != nil {
			return fmt.Errorf("write a line: %w", err)
		}
	}
	return nil
}

// clock writes a time in UTC with exactly three fractional digits.
func clock(t *timestamppb.Timestamp) string { return t.AsTime().Format("2006-01-02T15:04:05.000Z") }

// millis writes a duration in whole milliseconds.
func millis(d *durationpb.Duration) int64 { return d.AsDuration().Milliseconds() }
