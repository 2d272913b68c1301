package boltdb_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
)

// small makes a file apply its log all the time, to blocks of a few rows.
func small(t *testing.T, path string) *boltdb.DB {
	t.Helper()
	db, err := boltdb.Open(boltdb.Options{Path: path, Kind: "test", Format: 1, GenerationBytes: 2000, BlockBytes: 150})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// crashed copies a directory as a crash at this moment would leave it: every write is in the files, and nothing is closed.
func crashed(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

// model is what a file should hold: rows by bucket and key.
type model map[string]map[string]string

func (m model) clone() model {
	c := model{}
	for name, rows := range m {
		c[name] = maps.Clone(rows)
	}
	return c
}

// check compares every way to read with the model.
func (m model) check(t *rapid.T, db *boltdb.DB) {
	err := db.View(func(tx *boltdb.Tx) error {
		for name, rows := range m {
			b := tx.Bucket([]byte(name))
			if b == nil {
				return fmt.Errorf("there is no bucket %q", name)
			}
			sorted := slices.Sorted(maps.Keys(rows))
			var got []string
			cursor := b.Cursor()
			for key, value := cursor.First(); key != nil; key, value = cursor.Next() {
				got = append(got, string(key))
				if string(value) != rows[string(key)] {
					return fmt.Errorf("%q holds %q under %q, want %q", name, value, key, rows[string(key)])
				}
			}
			if !slices.Equal(got, sorted) {
				return fmt.Errorf("%q holds forwards %q, want %q", name, got, sorted)
			}
			got = nil
			for key, _ := cursor.Last(); key != nil; key, _ = cursor.Prev() {
				got = append(got, string(key))
			}
			slices.Reverse(got)
			if !slices.Equal(got, sorted) {
				return fmt.Errorf("%q holds backwards %q, want %q", name, got, sorted)
			}
			if err := checkSteps(t, b, rows, sorted); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checkSteps walks to and fro at random.
func checkSteps(t *rapid.T, b *boltdb.Bucket, rows map[string]string, sorted []string) error {
	cursor := b.Cursor()
	at := rapid.StringMatching("[a-e]{1,2}").Draw(t, "seek")
	i, _ := slices.BinarySearch(sorted, at)
	seek := cursor.Seek
	if rapid.Bool().Draw(t, "before") {
		seek, i = cursor.SeekBefore, i-1
	}
	key, _ := seek([]byte(at))
	for range 6 {
		if i < 0 || i >= len(sorted) {
			if key != nil {
				return fmt.Errorf("the cursor stands at %q, beyond the end", key)
			}
			return nil
		}
		if string(key) != sorted[i] {
			return fmt.Errorf("the cursor stands at %q, want %q", key, sorted[i])
		}
		if got := b.Get(key); string(got) != rows[sorted[i]] {
			return fmt.Errorf("%q under %q, want %q", got, key, rows[sorted[i]])
		}
		if rapid.Bool().Draw(t, "next") {
			key, _ = cursor.Next()
			i++
		} else {
			key, _ = cursor.Prev()
			i--
		}
	}
	return nil
}

func TestWhatIsReadIsWhatWasWrittenHoweverMuchOfItIsAppliedAndAfterEveryCrash(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir := t.TempDir()
		db := small(t, filepath.Join(dir, "x.db"))
		defer func() { _ = db.Close() }()
		want := model{}
		sequence := uint64(0)
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			switch rapid.IntRange(0, 9).Draw(rt, "step") {
			case 0:
				if err := db.Close(); err != nil {
					rt.Fatal(err)
				}
				db = small(t, filepath.Join(dir, "x.db"))
			case 1:
				err := db.WhileNothingIsWritten(func() { dir = crashed(t, dir) })
				if err := errors.Join(err, db.Close()); err != nil {
					rt.Fatal(err)
				}
				db = small(t, filepath.Join(dir, "x.db"))
			case 2:
				next := want.clone()
				db.WhileCompacting(func(step string) error {
					if step != "copied" {
						return nil
					}
					return db.Update(t.Context(), func(tx *boltdb.Tx) error { return change(rt, tx, next, &sequence, false) })
				})
				if _, err := db.Compact(t.Context(), 0); err != nil {
					rt.Fatal(err)
				}
				db.Retired()
				want = next
			default:
				next := want.clone()
				boom := rapid.IntRange(0, 4).Draw(rt, "fails") == 0
				err := db.Update(t.Context(), func(tx *boltdb.Tx) error {
					return change(rt, tx, next, &sequence, boom)
				})
				switch {
				case boom && err == nil || !boom && err != nil:
					rt.Fatalf("boom %v: %v", boom, err)
				case !boom:
					want = next
				}
			}
			want.check(rt, db)
		}
	})
}

var errBoom = errors.New("boom")

// change changes some rows of file and model alike, and sometimes fails after that.
func change(t *rapid.T, tx *boltdb.Tx, m model, sequence *uint64, boom bool) error {
	for range rapid.IntRange(1, 8).Draw(t, "rows") {
		name := rapid.SampledFrom([]string{"p", "q", "qq"}).Draw(t, "bucket")
		key := rapid.StringMatching("[a-e]{1,2}").Draw(t, "key")
		b, err := tx.CreateBucketIfNotExists([]byte(name))
		if err != nil {
			return err
		}
		if m[name] == nil {
			m[name] = map[string]string{}
		}
		if rapid.IntRange(0, 2).Draw(t, "delete") == 0 {
			delete(m[name], key)
			if err := b.Delete([]byte(key)); err != nil {
				return err
			}
			continue
		}
		m[name][key] = strings.Repeat(key, rapid.IntRange(0, 90).Draw(t, "length"))
		if err := b.Put([]byte(key), []byte(m[name][key])); err != nil {
			return err
		}
		if number, err := b.NextSequence(); err != nil || name == "q" && number <= *sequence {
			return fmt.Errorf("sequence %d after %d: %w", number, *sequence, err)
		} else if name == "q" && !boom {
			*sequence = number
		}
	}
	if boom {
		return errBoom
	}
	return nil
}

// logged returns a directory that a crash has left with two rows in its log, and the path of the log.
func logged(t *testing.T) (dir, log string) {
	t.Helper()
	from := t.TempDir()
	db := open(t, filepath.Join(from, "x.db"))
	for _, key := range []string{"a", "b"} {
		if err := db.Update(t.Context(), put(key)); err != nil {
			t.Fatal(err)
		}
	}
	dir = crashed(t, from)
	found, err := filepath.Glob(filepath.Join(dir, "x.db.log-*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	return dir, found[0]
}

func TestARecordThatWasCutShortWasNeverAcknowledgedAndIsDropped(t *testing.T) {
	dir, log := logged(t)
	whole, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	second := bytes.LastIndex(whole, []byte("SJRC"))
	for cut := second; cut < len(whole); cut++ {
		for _, tail := range [][]byte{whole[:cut], append(bytes.Clone(whole[:cut]), make([]byte, len(whole)-cut)...)} {
			if err := os.WriteFile(log, tail, 0o600); err != nil {
				t.Fatal(err)
			}
			again := crashed(t, dir)
			db := open(t, filepath.Join(again, "x.db"))
			if got := count(t, db); got != 1 {
				t.Fatalf("cut at %d: %d rows, want 1", cut, got)
			}
			if err := errors.Join(db.Update(t.Context(), put("c")), db.Close()); err != nil {
				t.Fatal(err)
			}
			if got := count(t, open(t, filepath.Join(again, "x.db"))); got != 2 {
				t.Fatalf("cut at %d, gone on: %d rows, want 2", cut, got)
			}
		}
	}
}

// The last record of a segment says that there is another one, which is there before it is written.
func TestACrashAsASegmentEndsLosesNothingAndIsNoDamage(t *testing.T) {
	const length = 8 + 36 + 8 + 4 // of a header
	for _, c := range []struct {
		left, next int
		want       error
	}{
		{left: 1, next: length},
		{left: 13, next: length},
		{left: 13, next: 0},
		{left: 14, next: length, want: boltdb.ErrDamaged},
		{left: 13, next: length + 1, want: boltdb.ErrDamaged},
	} {
		dir, log := logged(t)
		data, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		header := binary.BigEndian.AppendUint64(slices.Clone(data[:8+36]), 2)
		header = binary.BigEndian.AppendUint32(header, crc32.Checksum(header, crc32.MakeTable(crc32.Castagnoli)))
		err = errors.Join(os.WriteFile(log, append(data, make([]byte, c.left)...), 0o600),
			os.WriteFile(strings.TrimSuffix(log, "1")+"2", append(header, 0)[:c.next], 0o600))
		if err != nil {
			t.Fatal(err)
		}
		db, err := boltdb.Open(boltdb.Options{Path: filepath.Join(dir, "x.db"), Kind: "test", Format: 1})
		if !errors.Is(err, c.want) {
			t.Fatalf("%d bytes behind the last record, %d of the next segment: got %v, want %v", c.left, c.next, err, c.want)
		}
		if err != nil {
			continue
		}
		if got := count(t, db); got != 2 {
			t.Errorf("%d rows, want 2", got)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if got := count(t, open(t, filepath.Join(dir, "x.db"))); got != 2 {
			t.Errorf("%d rows when it is opened again, want 2", got)
		}
	}
}

func TestAnythingElseThatIsWrongWithALogIsNamedAndNothingIsServed(t *testing.T) {
	for name, damage := range map[string]func(log string, data []byte) error{
		"no log":            func(log string, _ []byte) error { return os.Remove(log) },
		"an empty log":      func(log string, _ []byte) error { return os.Truncate(log, 0) },
		"a bit of a record": func(log string, data []byte) error { data[76] ^= 1; return os.WriteFile(log, data, 0o600) },
		"a bit of a length": func(log string, data []byte) error { data[60] ^= 1; return os.WriteFile(log, data, 0o600) },
		// Behind the first record, at byte 56, nothing can be read any more, but no crash leaves that.
		"a bit of it, and what follows it is gone": func(log string, data []byte) error {
			data[76] ^= 1
			clear(data[bytes.LastIndex(data, []byte("SJRC")):])
			return os.WriteFile(log, data, 0o600)
		},
		"garbage in place of all records": func(log string, data []byte) error {
			return os.WriteFile(log, append(data[:56:56], bytes.Repeat([]byte("garbage"), 9)...), 0o600)
		},
		"its beginning": func(log string, data []byte) error { data[9] ^= 1; return os.WriteFile(log, data, 0o600) },
		"a log of another generation": func(log string, _ []byte) error {
			return os.Rename(log, strings.TrimSuffix(log, filepath.Ext(log))+".log-77")
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, log := logged(t)
			data, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			if err := damage(log, data); err != nil {
				t.Fatal(err)
			}
			_, err = boltdb.Open(boltdb.Options{Path: filepath.Join(dir, "x.db"), Kind: "test", Format: 1})
			if !errors.Is(err, boltdb.ErrDamaged) || !strings.Contains(err.Error(), "x.db.log-") {
				t.Errorf("got %v, want ErrDamaged that names the log", err)
			}
		})
	}
}

func TestTheLogOfAnotherFileIsRefused(t *testing.T) {
	dir, log := logged(t)
	_, other := logged(t)
	if err := os.Rename(other, log); err != nil {
		t.Fatal(err)
	}
	for _, readOnly := range []bool{true, false} {
		_, err := boltdb.Open(boltdb.Options{Path: filepath.Join(dir, "x.db"), Kind: "test", Format: 1, ReadOnly: readOnly})
		if !errors.Is(err, boltdb.ErrSwapped) || !strings.Contains(err.Error(), "x.db.log-1") {
			t.Errorf("read only %v: got %v, want ErrSwapped that names the log", readOnly, err)
		}
	}
}

func TestAFileThatWasNotClosedIsReadAndCopiedWithoutChangingIt(t *testing.T) {
	dir, log := logged(t)
	before, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	o := boltdb.Options{Path: filepath.Join(dir, "x.db"), Kind: "test", Format: 1, ReadOnly: true}
	db, err := boltdb.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	if got := count(t, db); got != 2 {
		t.Errorf("%d rows, want 2", got)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	var copied bytes.Buffer
	if err := boltdb.CopyStopped(t.Context(), o, func(boltdb.Snapshot) error { return nil }, &copied); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(path, copied.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := count(t, open(t, path)); got != 2 {
		t.Errorf("the copy has %d rows, want 2", got)
	}
	after, err := os.ReadFile(log)
	if entries, errDir := os.ReadDir(dir); err != nil || errDir != nil || !bytes.Equal(before, after) || len(entries) != 3 {
		t.Errorf("the directory was changed: %v, %v", entries, errors.Join(err, errDir))
	}
}
