package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/durable"
	"github.com/sojournhq/sojourn/internal/kit/regular"
	backupv1 "github.com/sojournhq/sojourn/proto/sojourn/backup/v1"
)

const (
	// WorkspacesFile is the name of the workspaces file in a backup, and in a data directory.
	WorkspacesFile = "workspaces.yaml"
	// workspacesKind is what a manifest and a gateway call it.
	workspacesKind = "workspaces"
	// workspacesFormat is that of what workspace.Config encodes.
	workspacesFormat = 1
	// maxWorkspacesBytes is far more than tens of thousands of workspaces take.
	maxWorkspacesBytes = 64 << 20
)

// ErrNoWorkspaces says why there is no workspaces file to be backed up.
var ErrNoWorkspaces = errors.New("no workspaces file")

// savedPreface is what a workspaces file begins with that is restored.
const savedPreface = `# Who may write to and read from this Sojourn, as restored from a backup. Keys and tokens are their hashes.
# Comments are not in backups.
`

// saved returns the configuration of the file at a path as it is backed up. The files that it names need not be there.
func saved(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: there is none at %s", ErrNoWorkspaces, path)
	}
	if err != nil {
		return nil, err
	}
	c, err := workspace.ParseSaved(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c.Encode()
}

// receiveWorkspaces returns the configuration that a gateway serves with.
func receiveWorkspaces(ctx context.Context, gateway backupv1.BackupServiceClient) ([]byte, error) {
	stream, err := gateway.CopyFile(ctx, &backupv1.CopyFileRequest{Kind: workspacesKind})
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	sum, err := receive(stream, func(of boltdb.Snapshot) error {
		if of.Kind != workspacesKind || of.Format > workspacesFormat || of.Bytes > maxWorkspacesBytes {
			return fmt.Errorf("the gateway hands out workspaces as %s of format %d, %d bytes", of.Kind, of.Format, of.Bytes)
		}
		return nil
	}, &text)
	if status.Code(err) == codes.NotFound {
		return nil, fmt.Errorf("%w: the gateway is of a version that does not hand it out", ErrNoWorkspaces)
	}
	if got := sha256.Sum256(text.Bytes()); err == nil && !bytes.Equal(got[:], sum) {
		err = errors.New("what came is not what was sent")
	}
	return text.Bytes(), err
}

// addWorkspaces stores the workspaces file in a backup, if there is one, and notes it in the manifest.
func (m *Manifest) addWorkspaces(ctx context.Context, from Set, dir string) error {
	if from.Workspaces == nil {
		return nil
	}
	text, err := from.Workspaces(ctx)
	if errors.Is(err, ErrNoWorkspaces) {
		m.Without = err
		return nil
	}
	if err == nil {
		err = durable.WriteFile(filepath.Join(dir, WorkspacesFile), text)
	}
	if err != nil {
		return fmt.Errorf("copy %s: %w", WorkspacesFile, err)
	}
	sum, size := sha256.Sum256(text), int64(len(text))
	m.Files = append(m.Files, File{
		Name: WorkspacesFile, Stored: WorkspacesFile, Kind: workspacesKind, Format: workspacesFormat,
		Bytes: size, StoredBytes: size, SHA256: hex.EncodeToString(sum[:]), TakenAt: time.Now().UTC(),
	})
	if c, err := workspace.ParseSaved(text); err == nil { // else the gateway is of a newer version, which can restore it
		plain, files := c.Secrets()
		m.Workspaces = &Workspaces{PlainSecrets: plain, SecretFiles: append([]string{}, files...)}
	}
	return nil
}

// workspacesIn returns the workspaces file of a backup, checked, as it is to be restored; nil if there is none in it.
func workspacesIn(dir string, m Manifest) (*restoredWorkspaces, error) {
	i := slices.IndexFunc(m.Files, func(f File) bool { return f.Kind == workspacesKind })
	if i < 0 {
		return nil, nil //nolint:nilnil // there is none, and that is no error
	}
	f := m.Files[i]
	if f.Format > workspacesFormat {
		return nil, fmt.Errorf("%s has format %d, this program reads up to %d", f.Name, f.Format, workspacesFormat)
	}
	text, err := regular.ReadFile(filepath.Join(dir, f.Stored), min(max(f.Bytes, 0), maxWorkspacesBytes))
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(text); int64(len(text)) != f.Bytes || hex.EncodeToString(sum[:]) != f.SHA256 {
		return nil, fmt.Errorf("%s: %w", f.Name, errNotBackedUp)
	}
	c, err := workspace.ParseSaved(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	_, files := c.Secrets()
	return &restoredWorkspaces{File: f, text: append([]byte(savedPreface), text...), secretFiles: files}, nil
}

// restoredWorkspaces is the workspaces file of a backup.
type restoredWorkspaces struct {
	File

	text        []byte
	secretFiles []string
}

// sum is the SHA-256 of what is put in place.
func (w *restoredWorkspaces) sum() string {
	sum := sha256.Sum256(w.text)
	return hex.EncodeToString(sum[:])
}

// write puts the file in place, and removes what a time that was cut off left of it.
func (w *restoredWorkspaces) write(path string, steps durable.Steps) error {
	err := steps.MkdirAll(filepath.Dir(path))
	if err == nil {
		err = durable.RemoveNew(path)
	}
	if err == nil {
		err = steps.WriteFile(path, w.text)
	}
	if err != nil {
		return fmt.Errorf("restore %s: %w", path, err)
	}
	return nil
}

// secretPaths returns where the files must be that the workspaces file names, once it is at a path.
func (w *restoredWorkspaces) secretPaths(path string) []string {
	paths := make([]string, len(w.secretFiles))
	for i, file := range w.secretFiles {
		if paths[i] = file; !filepath.IsAbs(file) {
			paths[i] = filepath.Join(filepath.Dir(path), file)
		}
	}
	return paths
}
