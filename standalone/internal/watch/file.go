package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/sojournhq/sojourn/internal/kit/durable"
)

// File is where a cursor is kept from one watch to the next.
type File string

// Cursor returns the cursor in the file; none if there is no file yet.
func (f File) Cursor() (string, error) {
	text, err := os.ReadFile(string(f))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the cursor: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// Keep puts a cursor into the file, so that a crash leaves this one or the one before.
func (f File) Keep(cursor string) error { return durable.WriteFile(string(f), []byte(cursor+"\n")) }
