package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/sojournhq/sojourn/proto/sojourn/admin/v1"
)

func deleteUserCommand(stdout, stderr io.Writer) *ffcli.Command {
	flags := newFlags("sojourn delete-user", stderr)
	var from remote
	from.define(flags, "http://127.0.0.1:8080", "where sojourn is running; the admin token is taken from "+adminTokenVariable)
	workspace := flags.String("workspace", "default", "the user's workspace")
	user := flags.String("user", "", "the userId")
	until := flags.String("until", "", "delete calls up to this time, as 2026-11-01T12:00:00Z; none: all until now")
	return &ffcli.Command{
		Name:       "delete-user",
		ShortUsage: "sojourn delete-user -user ID [-workspace NAME] [-url URL] [-until TIME]",
		ShortHelp:  "remove everything that a user's calls left, and print how much that was",
		FlagSet:    flags,
		Options:    options(),
		Exec: noArguments(func(ctx context.Context) error {
			request := &adminv1.DeleteUserRequest{Workspace: *workspace, UserId: *user}
			if *user == "" {
				return errors.New("-user is required")
			}
			if *until != "" {
				at, err := time.Parse(time.RFC3339, *until)
				if err != nil {
					return errors.New("-until is not a time such as 2026-11-01T12:00:00Z")
				}
				request.Until = timestamppb.New(at)
			}
			return deleteUser(ctx, &from, request, stdout)
		}),
	}
}

func deleteUser(ctx context.Context, from *remote, request *adminv1.DeleteUserRequest, stdout io.Writer) error {
	return from.withAdmin(func(conn *grpc.ClientConn) error {
		removed, err := adminv1.NewAdminServiceClient(conn).DeleteUser(ctx, request)
		if err != nil {
			return fmt.Errorf("delete user: %w", err)
		}
		_, err = fmt.Fprintf(stdout, "removed: %d users, %d links, %d events, %d points, %d sessions, %d changes\n",
			removed.GetUsers(), removed.GetLinks(), removed.GetEvents(), removed.GetPoints(), removed.GetSessions(), removed.GetChanges())
		return err
	})
}
