package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/standalone"
)

func TestTheExitCodeTellsAWrongCommandLineFromAFailure(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"an unknown flag":            {[]string{"-nonsense"}, 2, "nonsense"},
		"an unknown command":         {[]string{"nonsense"}, 1, "nonsense"},
		"help":                       {[]string{"-help"}, 0, "dump"},
		"version":                    {[]string{"version"}, 0, "sojourn"},
		"a dump of nothing":          {[]string{"dump", "-data", missing}, 1, "missing"},
		"a dump without a token":     {[]string{"dump", "-url", "http://127.0.0.1:1"}, 1, adminTokenVariable},
		"a dump from no address":     {[]string{"dump", "-url", "nowhere"}, 1, adminTokenVariable},
		"an export of all":           {[]string{"export"}, 1, "say what to export"},
		"an export of nothing":       {[]string{"export", "users", "-data", missing}, 1, "missing"},
		"an unknown export":          {[]string{"export", "secrets"}, 1, "say what to export"},
		"an unknown format":          {[]string{"export", "users", "-format", "xls"}, 1, "not csv or ndjson"},
		"an export, no token":        {[]string{"export", "users", "-url", "http://127.0.0.1:1"}, 1, queryTokenVariable},
		"an export from nowhere":     {[]string{"export", "users", "-url", "nowhere"}, 1, queryTokenVariable},
		"an export from no day":      {[]string{"export", "users", "-from", "soon"}, 1, "-from is not a day such as"},
		"an export to no day":        {[]string{"export", "usage", "-to", "2026-11-31"}, 1, "-to is not a day such as"},
		"an export of days backward": {[]string{"export", "events", "-from", "2026-11-02", "-to", "2026-11-01"}, 1, "-from is after -to"},
		"a check before all":         {[]string{"-check", "-data", missing}, 0, "no configuration yet"},
		"a demo without its keys":    {[]string{"demo", "-data", missing}, 1, "missing"},
		"a watch without a token":    {[]string{"watch", "-data", missing}, 1, queryTokenVariable},
		"a watch of two minds":       {[]string{"watch", "-cursor", "c", "-from-now"}, 1, "-from-now"},
		"a watch of three":           {[]string{"watch", "-cursor", "c", "-cursor-file", missing}, 1, "-cursor-file"},
		"a rebuild of nothing":       {[]string{"rebuild", "-data", missing}, 1, "missing"},
		"a rebuild without token":    {[]string{"rebuild", "-url", "http://127.0.0.1:1"}, 1, adminTokenVariable},
		"a check of nobody's health": {[]string{"healthcheck", "-admin", "127.0.0.1:1"}, 1, "probe"},
		"a demo of a wrong number":   {[]string{"demo", "-seed", "x"}, 2, "seed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(adminTokenVariable, "")
			t.Setenv(queryTokenVariable, "")
			var out bytes.Buffer
			if code := run(t.Context(), c.args, &out, &out); code != c.code || !strings.Contains(out.String(), c.says) {
				t.Errorf("exit code %d, want %d; it said %q, want %q", code, c.code, out.String(), c.says)
			}
		})
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("looking made the directory")
	}
}

func TestACommandOnDataInUseSaysSoByItsExitCode(t *testing.T) {
	dir := t.TempDir()
	suite, err := standalone.Open(t.Context(), standalone.Config{Dir: dir}, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = suite.Close() }()
	for _, command := range []string{"verify", "compact"} {
		var out bytes.Buffer
		if code := run(t.Context(), []string{command, "-data", dir}, &out, &out); code != 75 || !strings.Contains(out.String(), "in use") {
			t.Errorf("%s: exit code %d, want 75; it said %q", command, code, out.String())
		}
	}
}
