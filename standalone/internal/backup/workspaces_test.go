package backup_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/rpc/rpctest"
	backupv1 "github.com/sojournhq/sojourn/proto/sojourn/backup/v1"
	"github.com/sojournhq/sojourn/standalone/internal/backup"
	"github.com/sojournhq/sojourn/standalone/internal/setup"
)

const keyed = `# a comment with admin-token-in-a-comment
admin_tokens: [admin-token-in-the-file]
workspaces:
  - id: w
    query_tokens: [query-token-in-the-file]
    sources:
      - {id: web, write_keys: [write-key-in-the-file], shared_secrets: [plain-secret-in-the-file, "file:secrets/web", "file:/run/secrets/other"]}
`

// keyedData is a data directory with that workspaces file. The files that it names are not there.
func keyedData(t *testing.T) string {
	t.Helper()
	dir := stopped(t)
	if err := os.WriteFile(filepath.Join(dir, setup.File), []byte(keyed), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestABackupHasTheWorkspacesFileWithKeysAsHashesAndSaysWhatItHolds(t *testing.T) {
	for name, o := range map[string]backup.Options{"whole": {}, "compressed": {Compress: true}, "incremental": {Incremental: true}} {
		o.Dir = t.TempDir()
		dir, m, err := backup.Take(t.Context(), stoppedIn(keyedData(t)), o)
		if err != nil {
			t.Fatal(err)
		}
		if m.Workspaces == nil || m.Workspaces.PlainSecrets != 1 || !slices.Equal(m.Workspaces.SecretFiles, []string{"secrets/web", "/run/secrets/other"}) {
			t.Errorf("%s: the manifest says %+v", name, m.Workspaces)
		}
		text, err := os.ReadFile(filepath.Join(dir, "workspaces.yaml"))
		info, statErr := os.Stat(filepath.Join(dir, "workspaces.yaml"))
		if err := errors.Join(err, statErr); err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("%s: %v, %v", name, info, err)
		}
		for _, key := range []string{"admin-token-in", "query-token-in", "write-key-in"} {
			if strings.Contains(string(text), key) {
				t.Errorf("%s: a key is in it:\n%s", name, text)
			}
		}
		to := filepath.Join(t.TempDir(), "data")
		done, err := backup.Restore(t.Context(), backup.Restoring{From: dir, Dir: to})
		if err != nil || done.Workspaces != backup.Written || !slices.Equal(done.SecretFiles, []string{filepath.Join(to, "secrets/web"), "/run/secrets/other"}) {
			t.Errorf("%s: restored %+v, %v", name, done, err)
		}
		restored, err := os.ReadFile(filepath.Join(to, setup.File))
		if err != nil {
			t.Fatal(err)
		}
		was, err := workspace.ParseSaved([]byte(keyed))
		is, isErr := workspace.ParseSaved(restored)
		if err := errors.Join(err, isErr); err != nil {
			t.Fatal(err)
		}
		want, err := was.Encode()
		if got, gotErr := is.Encode(); errors.Join(err, gotErr) != nil || !bytes.Equal(got, want) || len(want) < 100 {
			t.Errorf("%s: restored is\n%s\nwant\n%s", name, got, want)
		}
		if n, err := backup.Check(t.Context(), o.Dir, func(err error) { t.Error(err) }); n != 1 || err != nil {
			t.Errorf("%s: %d backups checked, %v", name, n, err)
		}
	}
}

func TestABackupWithoutAWorkspacesFileSaysSoAndIsRestored(t *testing.T) {
	dir, m, err := backup.Take(t.Context(), stoppedIn(stopped(t)), backup.Options{Dir: t.TempDir()})
	if err != nil || !errors.Is(m.Without, backup.ErrNoWorkspaces) || m.Workspaces != nil {
		t.Fatalf("%v: %v", m, err)
	}
	to := t.TempDir()
	if done, err := backup.Restore(t.Context(), backup.Restoring{From: dir, Dir: to}); err != nil || done.Workspaces != backup.Absent {
		t.Errorf("%v, %v", done, err)
	}
	_, err = backup.Restore(t.Context(), backup.Restoring{From: dir, Dir: to, Only: "workspaces"})
	if err == nil || !strings.Contains(err.Error(), "not in the backup") {
		t.Errorf("asked for: %v", err)
	}
}

func TestAWorkspacesFileThatIsWrongIsNotBackedUpAndNothingIs(t *testing.T) {
	data, out := keyedData(t), t.TempDir()
	if err := os.WriteFile(filepath.Join(data, setup.File), []byte("admin_tokens: [a-secret-token-000000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := backup.Take(t.Context(), stoppedIn(data), backup.Options{Dir: out})
	if err == nil || !strings.Contains(err.Error(), setup.File) || strings.Contains(err.Error(), "a-secret") {
		t.Errorf("got %v", err)
	}
	if left := names(t, out); len(left) > 0 {
		t.Errorf("%q is left", left)
	}
}

func TestADamagedWorkspacesFileIsRefusedAndNamed(t *testing.T) {
	for name, tamper := range map[string]func(dir string) error{
		"changed": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, setup.File), []byte(workspacesOf("another")), 0o600)
		},
		"longer": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, setup.File), make([]byte, 1<<20), 0o600)
		},
		"gone":           func(dir string) error { return os.Remove(filepath.Join(dir, setup.File)) },
		"a newer format": changed(func(m *backup.Manifest) { m.Files[3].Format = 2 }),
		"one that this program does not read": func(dir string) error {
			text := []byte("workspaces: [{id: w, of_the_future: 1}]\n")
			sum := sha256.Sum256(text)
			return errors.Join(os.WriteFile(filepath.Join(dir, setup.File), text, 0o600), changed(func(m *backup.Manifest) {
				m.Files[3].Bytes, m.Files[3].SHA256 = int64(len(text)), hex.EncodeToString(sum[:])
			})(dir))
		},
	} {
		to, err := restoring(t, keyedData(t), tamper)
		if err == nil || !strings.Contains(err.Error(), setup.File) {
			t.Errorf("%s: %v", name, err)
		}
		if left := names(t, to); len(left) > 0 {
			t.Errorf("%s: %q is left", name, left)
		}
	}
}

// gatewayOf hands out a workspaces file, or says that it knows none.
type gatewayOf struct {
	backupv1.UnimplementedBackupServiceServer

	text, sumOf string
	none        bool
}

func (g gatewayOf) CopyFile(r *backupv1.CopyFileRequest, to grpc.ServerStreamingServer[backupv1.CopyFileResponse]) error {
	if g.none || r.GetKind() != "workspaces" {
		return status.Error(codes.NotFound, "kind is none of identity, events and sessions")
	}
	sum := sha256.Sum256([]byte(g.sumOf))
	return errors.Join(
		to.Send(&backupv1.CopyFileResponse{Part: &backupv1.CopyFileResponse_Header{Header: &backupv1.FileHeader{Kind: "workspaces", Format: 1, Bytes: int64(len(g.text))}}}),
		to.Send(&backupv1.CopyFileResponse{Part: &backupv1.CopyFileResponse_Chunk{Chunk: []byte(g.text)}}),
		to.Send(&backupv1.CopyFileResponse{Part: &backupv1.CopyFileResponse_Trailer{Trailer: &backupv1.FileTrailer{Sha256: sum[:]}}}),
	)
}

func (g gatewayOf) Register(r grpc.ServiceRegistrar) { backupv1.RegisterBackupServiceServer(r, g) }

func (gatewayOf) Close() error { return nil }

func TestTheWorkspacesFileOfARunningSojournComesFromItsGateway(t *testing.T) {
	text := workspacesOf("sha256:" + strings.Repeat("0123456789abcdef", 4))
	newer := text + "of_the_future: 1\n"
	for name, c := range map[string]struct {
		gateway gatewayOf
		stored  string
		fails   bool
	}{
		"a gateway":               {gatewayOf{text: text, sumOf: text}, text, false},
		"a newer gateway":         {gatewayOf{text: newer, sumOf: newer}, newer, false}, // which is to restore it
		"one of a version before": {gatewayOf{none: true}, "", false},
		"one that is changed":     {gatewayOf{text: text, sumOf: newer}, "", true},
	} {
		conn, _ := rpctest.Serve(t, c.gateway)
		var order []string
		set := noting("", &order)
		set.Workspaces = backup.Running(conn).Workspaces
		dir, m, err := backup.Take(t.Context(), set, backup.Options{Dir: t.TempDir()})
		if (err != nil) != c.fails {
			t.Errorf("%s: %v", name, err)
		}
		if c.fails {
			continue
		}
		stored, _ := os.ReadFile(filepath.Join(dir, setup.File))
		if string(stored) != c.stored || errors.Is(m.Without, backup.ErrNoWorkspaces) != (c.stored == "") {
			t.Errorf("%s: stored is %q, without it because of %v", name, stored, m.Without)
		}
	}
}

func TestTheWorkspacesFileIsCopiedBehindTheData(t *testing.T) {
	var order []string
	set := noting("", &order)
	set.Workspaces = func(context.Context) ([]byte, error) {
		order = append(order, "workspaces")
		return []byte(workspacesOf("an-admin-token-000")), nil
	}
	take(t, set, backup.Options{Dir: t.TempDir()})
	if want := []string{"events", "sessions", "identity", "workspaces"}; !slices.Equal(order, want) {
		t.Errorf("the copies began in the order %q, want %q", order, want)
	}
}

func TestAManifestIsReadAsTheProgramWroteIt(t *testing.T) {
	dir := take(t, stoppedIn(keyedData(t)), backup.Options{Dir: t.TempDir()})
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	var m struct {
		Format     int
		Workspaces map[string]any
	}
	if err := errors.Join(err, json.Unmarshal(text, &m)); err != nil {
		t.Fatal(err)
	}
	if m.Format != 1 || m.Workspaces["sharedSecretsInPlainText"] != 1.0 || len(m.Workspaces["secretFilesNotInBackup"].([]any)) != 2 {
		t.Errorf("it says %s", text)
	}
}
