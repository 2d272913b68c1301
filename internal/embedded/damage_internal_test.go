package embedded

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/observe"
)

var everyByte = flag.Bool("every-byte", false, "change every byte of a log and a data file, not one in nine (2 minutes)")

// left returns the files of a store that was killed, with rows in the file and in a log of several segments, and its last state.
func left(t testing.TB, root string) (files map[string][]byte, state map[string]string) {
	t.Helper()
	dir, _ := writeFiles(t, root, nil)
	disk, h := newTestDisk(1, nil), newHistory()
	defer disk.close()
	c := testConfig(dir)
	c.BufferBytes, c.disk = 1<<20, disk
	s, err := Open(context.Background(), c, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	dice := rand.New(rand.NewPCG(3, 3))
	for n := range 30 {
		if err := h.update(s, dice); err != nil {
			t.Fatal(err)
		}
		if n == 20 {
			if err := s.Flush(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
	return everything(t, dir), h.states[len(h.states)-1]
}

// everything reads the files of a directory, and of the bbolt file what it uses.
func everything(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if files[name], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// examine opens damaged files, and says whether the damage was named: by Open, by Check, or by whoever reads. What is read must be right.
func examine(t testing.TB, root string, files map[string][]byte, state map[string]string) (named string, err error) {
	t.Helper()
	dir, _ := writeFiles(t, root, files)
	defer func() { _ = os.RemoveAll(dir) }()
	c := testConfig(dir)
	c.ReadOnly = true
	s, err := Open(context.Background(), c, observe.Discard())
	if err != nil {
		if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrSwapped) && !errors.Is(err, ErrFormat) && !errors.Is(err, ErrMissing) {
			return "", fmt.Errorf("open: %w", err)
		}
		return "open", nil
	}
	defer func() { _ = s.Close() }()
	err = s.Check(context.Background(), func(_ string, err error) { named = "check: " + err.Error() })
	if err != nil {
		return "", fmt.Errorf("check: %w", err)
	}
	found, err := rows(s)
	switch {
	case errors.Is(err, ErrDamaged):
		return named + " read", nil
	case err != nil:
		return "", fmt.Errorf("read: %w", err)
	case named == "" && !maps.Equal(found, state):
		return "", errors.New("rows are missing or wrong, and nobody says so")
	}
	for name, value := range found {
		if state[name] != value {
			return "", fmt.Errorf("row %s is wrong", name)
		}
	}
	return named, getEach(s, state, named != "")
}

// getEach looks each row up. One that Check has named may be missing.
func getEach(s *Store, state map[string]string, mayMiss bool) error {
	for name, value := range state {
		table, key, _ := strings.Cut(name, "/")
		err := s.View(func(tx *Tx) error {
			got := tx.Get(Table(table[0]-'0'), []byte(key))
			if string(got) != value && (got != nil || !mayMiss) {
				return fmt.Errorf("row %s is %q, not %q", name, got, value)
			}
			return nil
		})
		if err != nil && !errors.Is(err, ErrDamaged) {
			return err
		}
	}
	return nil
}

// TestEveryByteThatChangesIsNoticed changes one byte after the other of a log and a data file, in two ways.
func TestEveryByteThatChangesIsNoticed(t *testing.T) {
	root := memoryDir(t)
	files, state := left(t, root)
	if named, err := examine(t, root, files, state); err != nil || named != "" {
		t.Fatal("without damage: ", named, err)
	}
	every := 9
	switch {
	case *everyByte:
		every = 1
	case testing.Short():
		every = 29
	}
	for name, content := range files {
		counts := map[string]int{}
		isLog := strings.Contains(name, ".log-")
		for at := 0; at < len(content) && (isLog || strings.HasSuffix(name, ".db")); at += every {
			flips := []byte{1 << (at % 8), 0xFF}
			if !isLog && at%4096 < 16 { // the head of a page
				flips = []byte{1, 2, 4, 8, 16, 32, 64, 128, 0xFF}
			}
			for _, flip := range flips {
				if !isLog && bytes.Count(content[at/512*512:][:512], []byte{0}) == 512 && at%64 > 0 {
					continue // of a page that has little; one byte in 64 will do
				}
				damaged := maps.Clone(files)
				damaged[name] = bytes.Clone(content)
				damaged[name][at] ^= flip
				named, err := examine(t, root, damaged, state)
				if err != nil {
					t.Errorf("%s: byte %d of %d is %#x, not %#x: %v", filepath.Base(name), at, len(content), content[at]^flip, content[at], err)
				}
				if isLog && named != "open" && err == nil {
					t.Errorf("%s: byte %d of %d: opening does not name it", filepath.Base(name), at, len(content))
				}
				counts[strings.SplitN(named, ":", 2)[0]]++
			}
		}
		t.Log(filepath.Base(name), len(content), counts)
	}
}

// TestALogThatIsCutIsRefusedOrEndsEarlier cuts a log at every byte: what is left is one of the states before, but where segments follow.
func TestALogThatIsCutIsRefusedOrEndsEarlier(t *testing.T) {
	root := memoryDir(t)
	files, _ := left(t, root)
	numbers := 0
	for name := range files {
		if strings.Contains(name, ".log-") {
			numbers++
		}
	}
	if numbers < 2 {
		t.Fatalf("there are %d segments", numbers)
	}
	last := ""
	for name := range files {
		if strings.Contains(name, ".log-") && len(name) >= len(last) && name > last {
			last = name
		}
	}
	for name, content := range files {
		if !strings.Contains(name, ".log-") {
			continue
		}
		cut := maps.Clone(files)
		delete(cut, name)
		if err := opens(t, root, cut); !errors.Is(err, ErrMissing) {
			t.Errorf("without %s: %v", filepath.Base(name), err)
		}
		for at := range content {
			cut[name] = content[:at]
			err := opens(t, root, cut)
			if name == last && at >= headerBytes && err != nil {
				t.Errorf("%s cut at byte %d: %v", filepath.Base(name), at, err)
			} else if (name != last || at < headerBytes) && !errors.Is(err, ErrDamaged) {
				t.Errorf("%s cut at byte %d: %v, want it refused", filepath.Base(name), at, err)
			}
		}
	}
}

func opens(t testing.TB, root string, files map[string][]byte) error {
	t.Helper()
	dir, _ := writeFiles(t, root, files)
	defer func() { _ = os.RemoveAll(dir) }()
	s, err := Open(context.Background(), testConfig(dir), observe.Discard())
	if err != nil {
		return err
	}
	return s.Close()
}

func TestWhatBelongsToAnotherStoreIsRefused(t *testing.T) {
	root := memoryDir(t)
	files, _ := left(t, root)
	others, _ := left(t, root)
	byEnd := func(files map[string][]byte, end string) string {
		for name := range files {
			if strings.HasSuffix(name, end) {
				return name
			}
		}
		t.Fatal("there is no " + end)
		return ""
	}
	for _, end := range []string{".db", ".log-7", ".json"} {
		mixed := maps.Clone(files)
		if end == ".log-7" {
			end = filepath.Ext(firstLog(files))
		}
		mixed[byEnd(files, end)] = others[byEnd(others, end)]
		if err := opens(t, root, mixed); !errors.Is(err, ErrSwapped) && !errors.Is(err, ErrMissing) {
			t.Errorf("with another's %s: %v", end, err)
		}
	}
	for _, change := range []func([]byte) []byte{func([]byte) []byte { return nil }, nil} {
		gone := maps.Clone(files)
		name := byEnd(files, ".db")
		if change == nil {
			delete(gone, name)
		} else {
			gone[name] = change(nil)
		}
		if err := opens(t, root, gone); !errors.Is(err, ErrMissing) {
			t.Errorf("without a data file: %v", err)
		}
	}
}

func firstLog(files map[string][]byte) (first string) {
	for name := range files {
		if strings.Contains(name, ".log-") && (first == "" || name < first) {
			first = name
		}
	}
	return first
}

func TestWhatIsDeletedIsGoneFromFileAndLogAfterAFlushAndACompaction(t *testing.T) {
	root := memoryDir(t)
	dir, _ := writeFiles(t, root, nil)
	c := testConfig(dir)
	c.BufferBytes = 1 << 20
	s, err := Open(t.Context(), c, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	const secret = "a person who is to be forgotten"
	for n := range 40 {
		update(t, s, func(tx *Tx) error {
			tx.Put(0, fmt.Appendf(nil, "%d", n), []byte(strings.Repeat(secret, n%3)))
			return nil
		})
		if n == 20 {
			flush(t, s)
		}
	}
	update(t, s, func(tx *Tx) error {
		for n := range 40 {
			tx.Delete(0, fmt.Appendf(nil, "%d", n))
		}
		return nil
	})
	flush(t, s)
	for name, content := range everything(t, dir) {
		if strings.Contains(name, ".log-") && bytes.Contains(content, []byte(secret)) {
			t.Errorf("%s still has what was deleted", filepath.Base(name))
		}
	}
	done, err := s.Compact(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range everything(t, dir) {
		if bytes.Contains(content, []byte(secret)) {
			t.Errorf("%s still has what was deleted", filepath.Base(name))
		}
	}
	if done.Before == 0 || done.After == 0 {
		t.Errorf("it says %+v", done)
	}
}

func update(t testing.TB, s *Store, fn func(*Tx) error) {
	t.Helper()
	if err := s.Update(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func flush(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// TestARowWhoseKeyIsDamagedIsNotTakenForOneThatIsNotThere changes bytes of keys in a data file, and looks for the rows, without a check of the
// file.
func TestARowWhoseKeyIsDamagedIsNotTakenForOneThatIsNotThere(t *testing.T) {
	root := memoryDir(t)
	dir, _ := writeFiles(t, root, nil)
	s, err := Open(context.Background(), testConfig(dir), observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	update(t, s, func(tx *Tx) error {
		for n := range 300 {
			tx.Put(0, fmt.Appendf(nil, "key-%03d-end", n), []byte("value"))
		}
		return nil
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files := everything(t, dir)
	name := filepath.Join(dir, "x.db")
	for n := 3; n < 300; n += 30 {
		key := fmt.Appendf(nil, "key-%03d-end", n)
		at := bytes.LastIndex(files[name], append(key, "value"...))
		for _, flip := range []int{0, 5, 6, 10} {
			damaged := maps.Clone(files)
			damaged[name] = bytes.Clone(files[name])
			damaged[name][at+flip] ^= 1 << (n % 6)
			if err := lookFor(t, root, damaged, key); !errors.Is(err, ErrDamaged) {
				t.Errorf("byte %d of key %s changes: looking for it says %v", flip, key, err)
			}
		}
	}
}

func lookFor(t *testing.T, root string, files map[string][]byte, key []byte) error {
	t.Helper()
	dir, _ := writeFiles(t, root, files)
	defer func() { _ = os.RemoveAll(dir) }()
	s, err := Open(context.Background(), testConfig(dir), observe.Discard())
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	get := s.View(func(tx *Tx) error { tx.Get(0, key); return nil })
	seek := s.View(func(tx *Tx) error { tx.Cursor(0).Seek(key); return nil })
	if !errors.Is(seek, ErrDamaged) {
		return fmt.Errorf("a cursor says %w", seek)
	}
	return get
}
