package livefile_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sojournhq/sojourn/internal/kit/livefile"
)

// two are two files, and what is made of them: their contents side by side. A content with "wrong" in it is an error.
type two struct {
	*livefile.Files[string]

	t    *testing.T
	a, b string
	log  bytes.Buffer
}

func open(t *testing.T) *two {
	t.Helper()
	dir := t.TempDir()
	f := &two{t: t, a: filepath.Join(dir, "a"), b: filepath.Join(dir, "b")}
	f.write(f.a, "a1")
	f.write(f.b, "b1")
	var err error
	if f.Files, err = livefile.Open([]string{f.a, f.b}, parse, slog.New(slog.NewTextHandler(&f.log, nil))); err != nil {
		t.Fatal(err)
	}
	return f
}

func parse(texts [][]byte) (string, error) {
	text := string(bytes.Join(texts, []byte(" ")))
	if strings.Contains(text, "wrong") {
		return "", errors.New("something is amiss")
	}
	return text, nil
}

func (f *two) write(path, text string) {
	f.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// want lets looks pass and then compares.
func (f *two) want(looks int, want string) {
	f.t.Helper()
	got := f.Now()
	for range looks {
		time.Sleep(time.Second)
		got = f.Now()
	}
	if got != want {
		f.t.Errorf("got %q, want %q", got, want)
	}
}

func TestChangedFilesAreTakenOnceTwoLooksFindTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := open(t)
		f.want(0, "a1 b1")
		f.write(f.b, "b")
		f.want(1, "a1 b1") // half written
		f.write(f.b, "b2")
		f.want(1, "a1 b1")
		f.want(1, "a1 b2")
		f.write(f.a, "a2")
		f.want(2, "a2 b2")
	})
}

func TestFilesThatHaveStoodForAWhileAreTakenAtTheFirstLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := open(t)
		f.write(f.a, "a2")
		for _, path := range []string{f.a, f.b} { // as found after a night in which nobody asked
			if err := os.Chtimes(path, time.Now(), time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		f.want(1, "a2 b1")
	})
}

func TestWrongOrMissingFilesChangeNothingAndAreLoggedOnce(t *testing.T) {
	for name, spoil := range map[string]func(f *two){
		"wrong":   func(f *two) { f.write(f.a, "wrong-secret") },
		"missing": func(f *two) { _ = os.Remove(f.b) },
	} {
		synctest.Test(t, func(t *testing.T) {
			f := open(t)
			spoil(f)
			f.want(5, "a1 b1")
			if n := strings.Count(f.log.String(), "not taken"); n != 1 || strings.Contains(f.log.String(), "secret") {
				t.Errorf("%s: logged %d times: %s", name, n, &f.log)
			}
			f.write(f.a, "a3")
			f.write(f.b, "b3")
			f.want(2, "a3 b3")
		})
	}
}

func TestEveryFileThatCannotBeReadIsNamed(t *testing.T) {
	dir := t.TempDir()
	_, err := livefile.Open([]string{filepath.Join(dir, "one"), filepath.Join(dir, "two")}, parse, slog.New(slog.DiscardHandler))
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "one") || !strings.Contains(err.Error(), "two") {
		t.Errorf("error %v", err)
	}
}
