package main

import (
	"context"
	"fmt"
	"io"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/sojournhq/sojourn/standalone/internal/setup"
	"github.com/sojournhq/sojourn/standalone/internal/smoke"
)

func smokeCommand(stdout, stderr io.Writer) *ffcli.Command {
	flags := newFlags("sojourn smoke", stderr)
	var of remote
	of.define(flags, "http://127.0.0.1:8080", "where sojourn is running")
	workspace := flags.String("workspace", "default", "the workspace of the keys")
	dir := flags.String("data", defaultData, "its data directory, to take the first keys from unless "+
		writeKeyVariable+", "+queryTokenVariable+" and "+adminTokenVariable+" are set")
	return &ffcli.Command{
		Name:       "smoke",
		ShortUsage: "sojourn smoke [flags]",
		ShortHelp:  "try a running sojourn: send a call, find its effects in every service, delete them",
		FlagSet:    flags,
		Options:    options(),
		Exec: noArguments(func(ctx context.Context) error {
			writeKey, err := keyOf(*dir, writeKeyVariable, func(k setup.Keys) string { return k.WriteKey })
			if err != nil {
				return err
			}
			queryToken, err := keyOf(*dir, queryTokenVariable, func(k setup.Keys) string { return k.QueryToken })
			if err != nil {
				return err
			}
			adminToken, err := keyOf(*dir, adminTokenVariable, func(k setup.Keys) string { return k.AdminToken })
			if err != nil {
				return err
			}
			speaker, err := of.client()
			if err != nil {
				return err
			}
			c := smoke.Client{
				URL: of.url, Workspace: *workspace, WriteKey: writeKey, QueryToken: queryToken, AdminToken: adminToken, HTTP: speaker,
			}
			if err := c.Run(ctx); err != nil {
				return err
			}
			_, err = fmt.Fprintln(stdout, "a call was taken, its effects were found in every service, and are deleted again")
			return err
		}),
	}
}
