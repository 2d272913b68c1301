package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"
	"google.golang.org/grpc"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/internal/domain/day"
	reportv1 "github.com/sojournhq/sojourn/proto/sojourn/report/v1"
)

// exporter is what `sojourn export` is told by its flags.
type exporter struct {
	remote
	directory

	format  string
	request reportv1.ExportRequest
}

func exportCommand(stdout, stderr io.Writer) *ffcli.Command {
	c := &ffcli.Command{
		Name:       "export",
		ShortUsage: "sojourn export users|accounts|sessions|events|usage [flags]",
		ShortHelp:  "print a workspace's users, accounts, sessions, events or usage reports as CSV or lines of JSON",
		FlagSet:    newFlags("sojourn export", stderr),
		Exec: func(context.Context, []string) error {
			return errors.New("say what to export: users, accounts, sessions, events or usage")
		},
	}
	for _, t := range exportTables {
		c.Subcommands = append(c.Subcommands, t.command(stdout, stderr))
	}
	return c
}

// exportTable is something to export. Days says what its rows have to do with the days of -from and -to.
type exportTable struct {
	name, help, days string
	table            reportv1.ExportTable
}

var exportTables = []exportTable{
	{
		"users", "one row a user",
		"With -from and -to, the users who were last seen on these days:\n" +
			"-from alone selects who was seen since, -to alone who was not seen later.",
		reportv1.ExportTable_EXPORT_TABLE_USERS,
	},
	{
		"accounts", "one row an account, complete or not",
		"With -from and -to, still every account, with how many users were active on\n" +
			"these days, the time that was spent, and the last day on which somebody was seen.",
		reportv1.ExportTable_EXPORT_TABLE_ACCOUNTS,
	},
	{
		"sessions", "one row a session",
		"With -from and -to, the sessions that started on these days.",
		reportv1.ExportTable_EXPORT_TABLE_SESSIONS,
	},
	{
		"events", "one row a use of a feature",
		"With -from and -to, the uses on these days.",
		reportv1.ExportTable_EXPORT_TABLE_EVENTS,
	},
	{
		"usage", "one row an account, module and feature",
		"With -from and -to, what was used on these days.",
		reportv1.ExportTable_EXPORT_TABLE_USAGE,
	},
}

func (t exportTable) command(stdout, stderr io.Writer) *ffcli.Command {
	flags := newFlags("sojourn export "+t.name, stderr)
	e := &exporter{request: reportv1.ExportRequest{Table: t.table, PageSize: 1000}}
	e.directory.define(flags)
	e.remote.define(flags, "",
		"gateway of a sojourn that is running; the token is taken from "+queryTokenVariable+" or "+adminTokenVariable)
	flags.StringVar(&e.format, "format", "csv", "csv or ndjson")
	flags.StringVar(&e.request.Workspace, "workspace", "",
		"workspace; that of the query token, or the first of the data directory, if not given")
	flags.BoolVar(&e.request.Exact, "exact", false, "in CSV, leave formulas and control characters as they are")
	flags.StringVar(&e.request.AccountId, "account", "", "only this account; all if not given")
	flags.StringVar(&e.request.FromDay, "from", "", "first UTC day, such as 2026-11-01")
	flags.StringVar(&e.request.ToDay, "to", "", "last UTC day, inclusive")
	return &ffcli.Command{
		Name:       t.name,
		ShortUsage: "sojourn export " + t.name + " [-data DIR [-workspaces FILE] | -url URL] [flags]",
		ShortHelp:  t.help,
		LongHelp:   t.days,
		FlagSet:    flags,
		Options:    options(),
		Exec:       noArguments(func(ctx context.Context) error { return e.run(ctx, stdout) }),
	}
}

func (e *exporter) run(ctx context.Context, to io.Writer) error {
	switch e.format {
	case "csv":
		e.request.Format = reportv1.ExportFormat_EXPORT_FORMAT_CSV
	case "ndjson":
		e.request.Format = reportv1.ExportFormat_EXPORT_FORMAT_NDJSON
	default:
		return fmt.Errorf("-format is %q, not csv or ndjson", e.format)
	}
	if _, err := day.ParseSpan(e.request.GetFromDay(), e.request.GetToDay()); err != nil {
		return errors.New(strings.NewReplacer("from_day", "-from", "to_day", "-to").Replace(err.Error()))
	}
	if e.url == "" {
		config, err := e.load()
		if err != nil {
			return err
		}
		if e.request.GetWorkspace() == "" {
			e.request.Workspace = config.Workspaces[0].ID
		}
		return e.inStopped(ctx, true, func(services gateway.Backends) error {
			return throughGateway(ctx, services, func(conn *grpc.ClientConn) error { return e.print(ctx, conn, to) })
		})
	}
	token := os.Getenv(queryTokenVariable)
	if token == "" {
		token = os.Getenv(adminTokenVariable)
	}
	if token == "" {
		return errors.New("set " + queryTokenVariable + " to a query token or " + adminTokenVariable + " to an admin token")
	}
	conn, err := e.dial(token)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return e.print(ctx, conn, to)
}

// print asks for one page after the other and prints it.
func (e *exporter) print(ctx context.Context, conn *grpc.ClientConn, to io.Writer) error {
	reports := reportv1.NewReportServiceClient(conn)
	for {
		page, err := reports.Export(ctx, &e.request)
		if err != nil {
			return fmt.Errorf("export: %w", err)
		}
		if _, err := io.WriteString(to, page.GetText()); err != nil {
			return fmt.Errorf("write export: %w", err)
		}
		if e.request.PageToken = page.GetNextPageToken(); e.request.GetPageToken() == "" {
			return nil
		}
	}
}
