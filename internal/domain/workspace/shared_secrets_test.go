package workspace_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
)

// signed is the good configuration with these shared secrets for its source.
func signed(secrets ...string) string {
	return good + "        shared_secrets: [" + strings.Join(secrets, ", ") + "]\n"
}

func TestASharedSecretStandsInTheFileOrInOneBesideIt(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret")
	for path, text := range map[string]string{
		filepath.Join(dir, "workspaces.yaml"): signed("plain-secret-000", "file:secrets/web", "file:"+outside),
		filepath.Join(dir, "secrets", "web"):  "secret-in-a-file-0\n",
		outside:                               "  secret-outside-00 \r\n",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := workspace.Load(filepath.Join(dir, "workspaces.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"plain-secret-000", "secret-in-a-file-0", "secret-outside-00"}
	if diff := cmp.Diff(want, c.Workspaces[0].Sources[0].SharedSecrets); diff != "" {
		t.Error(diff)
	}
}

func TestASharedSecretThatIsNoneIsAProblem(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"empty": "", "blank": " \n ", "lines": "a-secret-000000000\nanother-secret-0000", "same": "plain-secret-000\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "workspaces.yaml")
	for secrets, want := range map[string]string{
		"short":                       "shared_secrets[0]: shorter than 16 characters",
		"plain-secret-000, file:gone": "shared_secrets[1]: the file cannot be read",
		"file:empty":                  "shared_secrets[0]: shorter than 16 characters",
		"file:blank":                  "shared_secrets[0]: shorter than 16 characters",
		"file:lines":                  "shared_secrets[0]: longer than one line",
		"plain-secret-000, file:same": "shared_secrets[1]: stands twice",
		"plain-secret-000, file:.":    "shared_secrets[1]: the file cannot be read",
	} {
		if err := os.WriteFile(path, []byte(signed(secrets)), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := workspace.Load(path)
		if err == nil || !strings.Contains(err.Error(), "workspaces[0].sources[0]."+want) || c != nil {
			t.Errorf("%s: %v, want %s", secrets, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "plain") || strings.Contains(err.Error(), "a-secret")) {
			t.Errorf("%s: shows a secret: %v", secrets, err)
		}
	}
	// Without a place there is nothing that the name of a file is relative to, and no source may come out unsigned.
	if _, err := workspace.Parse([]byte(signed("file:same"))); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("parsed: %v", err)
	}
}

func TestAChangedSecretFileIsTakenLikeTheFileItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := watch(t)
		secret := filepath.Join(filepath.Dir(f.path), "web")
		write := func(text string) {
			if err := os.WriteFile(secret, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		expect := func(want ...string) {
			t.Helper()
			pass(3)
			if diff := cmp.Diff(want, f.Config().Workspaces[0].Sources[0].SharedSecrets); diff != "" {
				t.Error(diff)
			}
		}
		f.write(signed("file:web"))
		expect() // there is no such file yet, so the configuration stays
		write("first-secret-0000")
		expect("first-secret-0000")
		first := f.Config()
		expect("first-secret-0000")
		if f.Config() != first {
			t.Error("files that have not changed gave another configuration")
		}
		write("second-secret-000\n")
		expect("second-secret-000")
		write("short")
		expect("second-secret-000")
		if err := os.Remove(secret); err != nil {
			t.Fatal(err)
		}
		expect("second-secret-000")
		write("third-secret-0000")
		expect("third-secret-0000")
		f.write(good)
		expect()
		if log := f.log.String(); strings.Contains(log, "secret-0") || strings.Count(log, "not taken") != 3 {
			t.Errorf("log: %s", log)
		}
	})
}

func TestWhoUsesNoSharedSecretsNeitherReadsNorMissesThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "workspaces.yaml")
		write := func(text string) {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write(signed("plain-secret-000", "file:/there/is/no/such/file", "short"))
		loaded, err := workspace.LoadWithoutSecrets(path)
		if err != nil {
			t.Fatal(err)
		}
		watched, err := workspace.WatchWithoutSecrets(path, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = watched.Close() }()
		for _, c := range []*workspace.Config{loaded, watched.Config()} {
			secrets := c.Workspaces[0].Sources[0].SharedSecrets
			if len(secrets) != 1 || strings.Contains(secrets[0], "plain-secret") || strings.Contains(secrets[0], "file") {
				t.Errorf("want one text that says that there are secrets, got %q", secrets)
			}
		}
		write(strings.Replace(signed("file:another/file"), "workspaces:", "# changed\nworkspaces:", 1))
		pass(3)
		if secrets := watched.Config().Workspaces[0].Sources[0].SharedSecrets; len(secrets) != 1 || strings.Contains(secrets[0], "file") {
			t.Errorf("a changed file brought %q", secrets)
		}
		write("workspaces: [{id: a, sources: [{id: w}]}]")
		if _, err := workspace.LoadWithoutSecrets(path); err == nil || !strings.Contains(err.Error(), "write_keys") {
			t.Errorf("another problem: %v", err)
		}
	})
}
