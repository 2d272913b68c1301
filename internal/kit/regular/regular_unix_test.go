//go:build unix

package regular_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/regular"
)

func TestOnlyARegularFileIsOpened(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	err := errors.Join(
		os.WriteFile(at("file"), []byte("text"), 0o600), os.Symlink("file", at("link")), os.Symlink("nowhere", at("broken link")),
		os.Mkdir(at("directory"), 0o700), syscall.Mkfifo(at("pipe"), 0o600),
	)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := regular.ReadFile(at("file"), 4); err != nil || string(text) != "text" {
		t.Errorf("a file: %q, %v", text, err)
	}
	for path, want := range map[string]error{
		at("link"): regular.ErrNotRegular, at("broken link"): regular.ErrNotRegular, at("directory"): regular.ErrNotRegular,
		at("pipe"): regular.ErrNotRegular, os.DevNull: regular.ErrNotRegular, at("nothing"): fs.ErrNotExist,
	} {
		if _, err := regular.ReadFile(path, 100); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
}

func TestAFileThatIsTooLargeIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := regular.ReadFile(path, 3); !errors.Is(err, regular.ErrTooLarge) {
		t.Errorf("got %v", err)
	}
}
