package boltdb

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// FuzzManifest reads any manifest: it is good, or refused with what to do.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"format":1,"stores":{"x.db":{"kind":"test","format":1,"uuid":"a"}}}`))
	f.Add([]byte(`{"format":2}`))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, ManifestFile), text, 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := readManifest(dir)
		refused := errors.Is(err, ErrDamaged) || errors.Is(err, ErrFormat)
		if err == nil && (m.Format != manifestFormat || m.Stores == nil) || err != nil && !refused {
			t.Errorf("read %v, %v", m, err)
		}
	})
}
