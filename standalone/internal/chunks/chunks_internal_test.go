package chunks

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// noise returns bytes that nothing makes shorter.
func noise(seed uint64, size int) []byte {
	var key [32]byte
	key[0] = byte(seed)
	made := make([]byte, size)
	_, _ = rand.NewChaCha8(key).Read(made)
	return made
}

// keep stores a stream, and returns the path of its list and what it took.
func keep(t *testing.T, dir string, stream []byte) (list string, added int64) {
	t.Helper()
	s, err := Open(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	w := s.NewWriter()
	for rest := stream; len(rest) > 0; rest = rest[min(len(rest), 10_007):] {
		if _, err := w.Write(rest[:min(len(rest), 10_007)]); err != nil {
			t.Fatal(err)
		}
	}
	list = filepath.Join(t.TempDir(), "list")
	if err := errors.Join(w.Close(), s.Seal(), os.WriteFile(list, w.List(), 0o600), s.Close()); err != nil {
		t.Fatal(err)
	}
	return list, w.Added()
}

// restored reads a stream again.
func restored(t *testing.T, dir, list string) ([]byte, error) {
	t.Helper()
	s, err := OpenToRead(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	r, err := s.NewReader(list)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func mustHold(t *testing.T, dir, list string, want []byte) {
	t.Helper()
	if got, err := restored(t, dir, list); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes are restored with %v, want the %d that were stored", len(got), err, len(want))
	}
}

// size returns how many bytes packs take, and how many packs there are.
func size(t *testing.T, dir string) (bytes int64, packs int) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*"+packSuffix))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		bytes += info.Size()
	}
	return bytes, len(found)
}

func TestWhatDidNotChangeIsStoredOnce(t *testing.T) {
	dir, stream := t.TempDir(), noise(1, 3<<20+5)
	first, added := keep(t, dir, stream)
	if added < 3<<20 {
		t.Errorf("%d bytes are new of a first stream of %d", added, len(stream))
	}
	if _, added := keep(t, dir, stream); added != 0 {
		t.Errorf("%d bytes are new of what was stored before", added)
	}
	changed := bytes.Clone(stream)
	changed[1<<20]++
	second, added := keep(t, dir, changed)
	if added < chunkBytes || added > chunkBytes+100 {
		t.Errorf("%d bytes are new where one changed, want a chunk", added)
	}
	mustHold(t, dir, first, stream)
	mustHold(t, dir, second, changed)
	zeros, added := keep(t, dir, make([]byte, 1<<20))
	if added > 1000 {
		t.Errorf("%d bytes are new of zeros", added)
	}
	mustHold(t, dir, zeros, make([]byte, 1<<20))
	empty, _ := keep(t, dir, nil)
	mustHold(t, dir, empty, nil)
}

func collect(t *testing.T, dir string, lists ...string) {
	t.Helper()
	s, err := Open(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Collect(lists), s.Close()); err != nil {
		t.Error(err)
	}
}

func TestWhatNoStreamNeedsIsRemovedAndTheRestStays(t *testing.T) {
	dir, first := t.TempDir(), noise(1, 2<<20)
	second := append(bytes.Clone(first[:256<<10]), noise(2, 1<<20)...)
	one, _ := keep(t, dir, first)
	two, _ := keep(t, dir, second)
	before, _ := size(t, dir)
	collect(t, dir, one, two)
	if after, _ := size(t, dir); after != before {
		t.Errorf("%d bytes became %d, though all are needed", before, after)
	}
	collect(t, dir, two)
	if after, _ := size(t, dir); after < int64(len(second)) || after > int64(len(second))+10_000 {
		t.Errorf("%d bytes are left for a stream of %d", after, len(second))
	}
	mustHold(t, dir, two, second)
	collect(t, dir)
	if _, packs := size(t, dir); packs != 0 {
		t.Errorf("%d packs are left for nothing", packs)
	}
}

func TestADamagedPackIsNamedAndWhatItHeldIsStoredAgain(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"a bit of a chunk": func(b []byte) []byte { b[1000] ^= 1; return b },
		"a bit of a table": func(b []byte) []byte { b[len(b)-trailerBytes-30] ^= 1; return b },
		"cut off":          func(b []byte) []byte { return b[:len(b)/2] },
		"empty":            func([]byte) []byte { return nil },
	} {
		dir, stream := t.TempDir(), noise(3, 100_000)
		list, _ := keep(t, dir, stream)
		found, _ := filepath.Glob(filepath.Join(dir, "*"+packSuffix))
		whole, err := os.ReadFile(found[0])
		if err := errors.Join(err, os.WriteFile(found[0], damage(whole), 0o600)); err != nil {
			t.Fatal(err)
		}
		if _, err := restored(t, dir, list); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), found[0]) {
			t.Errorf("%s: restoring says %v", name, err)
		}
		s, err := OpenToRead(dir)
		if err != nil {
			t.Fatal(err)
		}
		problems := 0
		s.Check(func(err error) {
			if problems++; !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), found[0]) {
				t.Errorf("%s: the check says %v", name, err)
			}
		})
		if err := s.Close(); err != nil || problems != 1 {
			t.Errorf("%s: %d problems, %v", name, problems, err)
		}
		if name == "a bit of a chunk" {
			continue // which is found by reading it alone
		}
		again, added := keep(t, dir, stream)
		if added < 100_000 {
			t.Errorf("%s: %d bytes were stored again", name, added)
		}
		collect(t, dir, again)
		mustHold(t, dir, list, stream)
	}
}

func TestADirectoryHasOneWriterAndWhatACrashLeftIsRemoved(t *testing.T) {
	dir := t.TempDir()
	left := filepath.Join(dir, partial+"1")
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what a crash left is there: %v", err)
	}
	if _, err := Open(dir, true); !errors.Is(err, ErrBusy) {
		t.Errorf("a second writer: %v", err)
	}
	if _, err := OpenToRead(dir); !errors.Is(err, ErrBusy) {
		t.Errorf("a reader beside a writer: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// FuzzPack reads any bytes as a pack and as a list, and whatever a pack says that it has.
func FuzzPack(f *testing.F) {
	dir := f.TempDir()
	w, err := begin(dir)
	if err != nil {
		f.Fatal(err)
	}
	chunk := []byte("chunk")
	err = w.add(sha256.Sum256(chunk), chunk, len(chunk))
	name, sealErr := w.seal()
	sound, readErr := os.ReadFile(filepath.Join(dir, name))
	if err := errors.Join(err, sealErr, readErr); err != nil {
		f.Fatal(err)
	}
	f.Add(sound)
	f.Add(new(Writer).List())
	f.Fuzz(func(t *testing.T, text []byte) {
		_, _ = parseList(text)
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "x"+packSuffix), text, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := OpenToRead(dir)
		if err != nil {
			t.Fatal(err)
		}
		s.Check(func(err error) {
			if !errors.Is(err, ErrDamaged) {
				t.Error(err)
			}
		})
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// FuzzList reads any bytes as a list of chunks, also such as have a right checksum: whatever is read is written the same again.
func FuzzList(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte(listMark))
	f.Add([]byte("SJRNLST0"))
	f.Add(append([]byte(listMark), make([]byte, 2*sha256.Size)...))
	f.Fuzz(func(t *testing.T, body []byte) {
		sum := sha256.Sum256(body)
		for _, list := range [][]byte{body, append(bytes.Clone(body), sum[:]...)} {
			sums, ok := parseList(list)
			if written := (&Writer{sums: sums}).List(); ok && !bytes.Equal(written, list) {
				t.Errorf("%x became %x", list, written)
			}
		}
	})
}
