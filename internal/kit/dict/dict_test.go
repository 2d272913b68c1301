package dict_test

import (
	"errors"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/dict"
	"github.com/sojournhq/sojourn/internal/kit/record"
)

func inBucket(t *testing.T, do func(*boltdb.Bucket)) {
	t.Helper()
	db, err := boltdb.Open(boltdb.Options{Path: filepath.Join(t.TempDir(), "dict.db"), Kind: "test", Format: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.Update(t.Context(), func(tx *boltdb.Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte("names"))
		if err != nil {
			return err
		}
		do(b)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestANameKeepsItsNumberAndKindsNeverMeet(t *testing.T) {
	inBucket(t, func(b *boltdb.Bucket) {
		d := dict.In(b)
		seen := map[uint32]string{}
		for _, name := range []string{"a", "b", "a\x00", "\x00", "a", "b"} {
			for _, kind := range []byte{'u', 'm'} {
				number, err := d.Number(kind, name)
				if err != nil || number == 0 {
					t.Fatal(number, err)
				}
				if other, taken := seen[number]; taken && other != string(kind)+name {
					t.Errorf("%q and %q share number %d", other, string(kind)+name, number)
				}
				seen[number] = string(kind) + name
				if found, ok, err := d.Find(kind, name); found != number || !ok || err != nil {
					t.Errorf("Find(%q) = %d, %v, %v, want %d", name, found, ok, err, number)
				}
				if back, err := d.Name(number); back != name || err != nil {
					t.Errorf("Name(%d) = %q, %v, want %q", number, back, err, name)
				}
			}
		}
		if len(seen) != 8 {
			t.Errorf("%d numbers for 8 names", len(seen))
		}
	})
}

func TestTheEmptyNameIsNumberZero(t *testing.T) {
	inBucket(t, func(b *boltdb.Bucket) {
		d := dict.In(b)
		if number, err := d.Number('u', ""); number != 0 || err != nil {
			t.Errorf("Number = %d, %v", number, err)
		}
		if name, err := d.Name(0); name != "" || err != nil {
			t.Errorf("Name = %q, %v", name, err)
		}
		if _, ok, err := d.Find('u', "nobody"); ok || err != nil {
			t.Errorf("an unknown name: %v, %v", ok, err)
		}
		if _, err := d.Name(7); !errors.Is(err, dict.ErrUnknown) {
			t.Errorf("an unknown number: %v, want ErrUnknown", err)
		}
	})
}

func TestADamagedRowIsAnError(t *testing.T) {
	inBucket(t, func(b *boltdb.Bucket) {
		d := dict.In(b)
		number, err := d.Number('u', "ada")
		if err != nil {
			t.Fatal(err)
		}
		if err := b.ForEach(func(key, value []byte) error {
			flipped := append([]byte(nil), value...)
			flipped[0] ^= 1
			return b.Put(key, flipped)
		}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := d.Find('u', "ada"); !errors.Is(err, record.ErrCorrupt) {
			t.Errorf("Find: %v, want ErrCorrupt", err)
		}
		if _, err := d.Name(number); !errors.Is(err, record.ErrCorrupt) {
			t.Errorf("Name: %v, want ErrCorrupt", err)
		}
	})
}

func TestWhatIsRememberedOfNamesIsWhatTheBucketSays(t *testing.T) {
	db, err := boltdb.Open(boltdb.Options{Path: filepath.Join(t.TempDir(), "dict.db"), Kind: "test", Format: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	known := dict.NewKnown(100)
	undone := errors.New("undone")
	rapid.Check(t, func(rt *rapid.T) {
		err := db.Update(t.Context(), func(tx *boltdb.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte("names"))
			if err != nil {
				return err
			}
			d := dict.Knowing(b, known)
			for range rapid.IntRange(1, 6).Draw(rt, "steps") {
				name := rapid.SampledFrom([]string{"", "a", "b", "c", "d", "e"}).Draw(rt, "name")
				if rapid.IntRange(0, 3).Draw(rt, "remove") == 0 {
					if err := d.Remove('u', name); err != nil {
						rt.Fatal(err)
					}
					continue
				}
				_, had, err := dict.In(b).Find('u', name)
				if err != nil {
					rt.Fatal(err)
				}
				number, isNew, err := d.NumberNew('u', name)
				if err != nil || isNew == had {
					rt.Fatalf("new: %v, %v; it was there: %v", isNew, err, had)
				}
				if want, ok, err := dict.In(b).Find('u', name); number != want || !ok || err != nil {
					rt.Fatalf("number %d, in the bucket %d, %v, %v", number, want, ok, err)
				}
			}
			if rapid.Bool().Draw(rt, "undo") {
				return undone
			}
			return nil
		})
		if err != nil && !errors.Is(err, undone) {
			rt.Fatal(err)
		}
	})
}
