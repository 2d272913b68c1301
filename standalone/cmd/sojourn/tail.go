package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"

	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"

	"github.com/sojournhq/sojourn/standalone/internal/calls"
)

// reading is what the commands are told that show calls of one workspace.
type reading struct {
	remote

	dir  string
	json bool
}

func (r *reading) flags(flags *flag.FlagSet) {
	r.define(flags, "http://127.0.0.1:8080", "where sojourn is running")
	flags.StringVar(&r.dir, "data", defaultData, "its data directory, to take the query token from unless "+queryTokenVariable+" is set")
	flags.BoolVar(&r.json, "json", false, "print lines of JSON")
}

// ask hands use the service that answers.
func (r *reading) ask(use func(identityv1.QueryServiceClient) error) error {
	token, err := queryToken(r.dir)
	if err != nil {
		return err
	}
	conn, err := r.dial(token)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return use(identityv1.NewQueryServiceClient(conn))
}

func tailCommand(stdout, stderr io.Writer) *ffcli.Command {
	var from reading
	request, outcome := &identityv1.TailCallsRequest{}, ""
	flags := newFlags("sojourn tail", stderr)
	from.flags(flags)
	flags.StringVar(&request.Source, "source", "", "only calls by this source")
	flags.StringVar(&request.Type, "type", "", "only calls of this type, such as track")
	flags.StringVar(&outcome, "outcome", "", "only calls that were accepted, duplicate, conflict, filtered or rejected")
	flags.StringVar(&request.UserId, "user", "", "only calls of this userId")
	return &ffcli.Command{
		Name:       "tail",
		ShortUsage: "sojourn tail [flags]",
		ShortHelp:  "print calls as they are received, and what becomes of them",
		FlagSet:    flags,
		Options:    options(),
		Exec: noArguments(func(ctx context.Context) error {
			var err error
			if request.Outcome, err = parseOutcome(outcome); err != nil {
				return err
			}
			return from.ask(func(service identityv1.QueryServiceClient) error {
				return calls.Tail{Service: service, Request: request, JSON: from.json, Lost: func(reason string) {
					_, _ = fmt.Fprintf(stderr, "sojourn: the stream is lost (%s); calls are missed until it is back\n", reason)
				}}.Run(ctx, stdout)
			})
		}),
	}
}

func parseOutcome(name string) (identityv1.CallOutcome, error) {
	if name == "" {
		return identityv1.CallOutcome_CALL_OUTCOME_UNSPECIFIED, nil
	}
	o, ok := identityv1.CallOutcome_value["CALL_OUTCOME_"+strings.ToUpper(name)]
	if !ok || o == 0 {
		return 0, errors.New("-outcome is none of accepted, duplicate, conflict, filtered and rejected")
	}
	return identityv1.CallOutcome(o), nil
}

func rejectedCommand(stdout, stderr io.Writer) *ffcli.Command {
	var from reading
	request := &identityv1.ListRejectedCallsRequest{}
	flags := newFlags("sojourn rejected", stderr)
	from.flags(flags)
	flags.StringVar(&request.Source, "source", "", "only calls by this source")
	flags.StringVar(&request.Type, "type", "", "only calls of this type, such as track")
	flags.StringVar(&request.Code, "code", "", "only calls that were rejected for this reason, such as user_id_required")
	limit := flags.Int("n", 100, "how many at most")
	return &ffcli.Command{
		Name:       "rejected",
		ShortUsage: "sojourn rejected [flags]",
		ShortHelp:  "print the last calls that were rejected, why, and what was sent",
		FlagSet:    flags,
		Options:    options(),
		Exec: noArguments(func(ctx context.Context) error {
			return from.ask(func(service identityv1.QueryServiceClient) error {
				return calls.Rejected{Service: service, Request: request, Limit: *limit, JSON: from.json}.Print(ctx, stdout)
			})
		}),
	}
}
