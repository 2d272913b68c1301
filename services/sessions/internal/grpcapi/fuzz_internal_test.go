package grpcapi

import (
	"testing"

	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// FuzzWhatClientsHandBack reads cursors and ids of sessions: whatever is read is written the same again.
func FuzzWhatClientsHandBack(f *testing.F) {
	f.Add("")
	f.Add("AAAAAAAAAAA")
	f.Add(formatCursor(session.Cursor{Epoch: 1<<63 | 7, Number: 42}))
	f.Fuzz(func(t *testing.T, text string) {
		if c, ok := parseCursor(text); ok && text != "" && formatCursor(c) != text {
			t.Errorf("the cursor %q became %q", text, formatCursor(c))
		}
		if id, ok := parseID(text); ok && formatID(id) != text {
			t.Errorf("the id %q became %q", text, formatID(id))
		}
	})
}
