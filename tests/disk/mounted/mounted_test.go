package mounted_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/sojournhq/sojourn/tests/disk/mounted"
	"github.com/sojournhq/sojourn/tests/disk/volume"
)

func TestAMountedVolumeDoesWhatAFileSystemDoesAndLogsIt(t *testing.T) {
	need := mounted.Missing()
	if need != "" {
		t.Skip("needs " + need)
	}
	fail := false
	m, err := mounted.New(t.TempDir(), volume.New(), mounted.Options{Log: true, FailSync: func(name string) bool { return fail && name == "b" }})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(m.Data(), "a")
	must(t, os.WriteFile(path, []byte("hello"), 0o600))
	must(t, os.Rename(path, filepath.Join(m.Data(), "b")))
	f, err := os.OpenFile(filepath.Join(m.Data(), "b"), os.O_RDWR|os.O_APPEND, 0o600)
	must(t, err)
	_, err = f.WriteString(" world")
	must(t, err)
	must(t, os.WriteFile(m.Marks(), []byte("now"), 0o600))
	must(t, f.Sync())
	fail = true
	if err := f.Sync(); !errors.Is(err, syscall.EIO) {
		t.Errorf("got %v of a sync that is to fail", err)
	}
	must(t, f.Truncate(7))
	content, err := os.ReadFile(f.Name())
	must(t, err)
	if string(content) != "hello w" {
		t.Errorf("reading returns %q", content)
	}
	must(t, f.Close())
	must(t, syncDir(m.Data()))
	list, err := os.ReadDir(m.Data())
	must(t, err)
	if len(list) != 1 || list[0].Name() != "b" {
		t.Errorf("the directory has %v", list)
	}
	log, err := m.Unmount()
	must(t, err)
	var kinds []string
	for _, op := range log {
		kinds = append(kinds, map[volume.Kind]string{
			volume.Create: "create", volume.Write: "write", volume.Rename: "rename", volume.Mark: "mark " + string(op.Data),
			volume.Sync: "sync", volume.SyncFails: "fail", volume.Resize: "resize",
		}[op.Kind])
	}
	want := "create,write,rename,write,mark now,sync,fail,resize,sync"
	if got := strings.Join(kinds, ","); got != want {
		t.Errorf("logged %s, want %s", got, want)
	}
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
