package backup

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzManifest reads any manifest of a backup: none names a file elsewhere.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"format":1,"files":[{"name":"events.db","stored":"../events.db","bytes":-1}]}`))
	f.Add([]byte(`{"format":1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, manifestFile), text, 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := read(dir)
		for _, file := range m.Files {
			if err == nil && filepath.Dir(filepath.Join(dir, file.Stored)) != dir {
				t.Errorf("%q is elsewhere", file.Stored)
			}
		}
	})
}
