package deploy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"

	"github.com/sojournhq/sojourn/tests/load/internal/expect"
)

// Verify has sojourn verify a data directory that nothing uses. The error holds what it found.
func (p Programs) Verify(ctx context.Context, dir string) error {
	out, err := exec.CommandContext(ctx, filepath.Join(p.Dir, "sojourn"), "verify", "-data", dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("verify: %w: %s", err, bytes.TrimSpace(out[:min(len(out), 2000)]))
	}
	return nil
}

// Compare has sojourn dump a data directory that nothing uses, and compares the dump with what is expected. It returns how many lines are right.
func (p Programs) Compare(ctx context.Context, dir string, want *expect.State) (int, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	cmd := exec.CommandContext(ctx, filepath.Join(p.Dir, "sojourn"), "dump", "-data", dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	same, err := want.Compare(out, Workspace, Source)
	_, drainErr := io.Copy(io.Discard, out)
	if waitErr := cmd.Wait(); waitErr != nil {
		err = errors.Join(err, drainErr, fmt.Errorf("dump: %w: %s", waitErr, bytes.TrimSpace(complaints.Bytes())))
	}
	return same, err
}
