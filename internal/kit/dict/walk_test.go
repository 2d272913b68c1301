package dict_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/dict"
)

// numbered numbers names of two kinds in no order, so that order by name and order by number differ, and removes one.
func numbered(t *testing.T, b *boltdb.Bucket) (d dict.Dict, removed uint32) {
	t.Helper()
	d = dict.In(b)
	for _, name := range []string{"m", "c", "ma", "gone", "a", "m\x00", "z", "bb"} {
		for _, kind := range []byte{'u', 'v'} {
			if _, err := d.Number(kind, name); err != nil {
				t.Fatal(err)
			}
		}
	}
	removed, _, err := d.Find('u', "gone")
	if err := errors.Join(err, d.Remove('u', "gone")); err != nil {
		t.Fatal(err)
	}
	return d, removed
}

func TestAWalkFindsTheNumbersOfNames(t *testing.T) {
	inBucket(t, func(b *boltdb.Bucket) {
		d, _ := numbered(t, b)
		asked := []string{"", "", "a", "aa", "b", "bb", "c", "c", "d", "e", "f", "gone", "m", "m\x00", "ma", "y", "z", "zz"}
		w := d.Walk()
		var have []string
		for _, name := range asked {
			number, ok, err := w.Find('u', name)
			want, there, wantErr := d.Find('u', name)
			if number != want || ok != there || err != nil || wantErr != nil {
				t.Errorf("%q has number %d, %v, %v, want %d, %v, %v", name, number, ok, err, want, there, wantErr)
			}
			if ok {
				have = append(have, name)
			}
		}
		if want := []string{"", "", "a", "bb", "c", "c", "m", "m\x00", "ma", "z"}; !slices.Equal(have, want) {
			t.Errorf("of %q there are %q, want %q", asked, have, want)
		}
	})
}

func TestAWalkFindsTheNamesOfNumbers(t *testing.T) {
	inBucket(t, func(b *boltdb.Bucket) {
		d, removed := numbered(t, b)
		w := d.Walk()
		var got []string
		for number := range uint32(17) {
			for range 2 { // the same may be asked for again
				name, err := w.Name(number)
				if want := number == removed; errors.Is(err, dict.ErrUnknown) != want || err != nil && !want {
					t.Errorf("number %d: %v", number, err)
				}
				if number%4 == 1 {
					got = append(got, name)
				}
			}
		}
		if want := []string{"m", "m", "ma", "ma", "a", "a", "z", "z"}; !slices.Equal(got, want) {
			t.Errorf("every fourth name is %q, want %q", got, want)
		}
		if name, err := w.Name(100); !errors.Is(err, dict.ErrUnknown) {
			t.Errorf("a number behind the last has the name %q, %v", name, err)
		}
	})
}
