package rows_test

import (
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/boltdb/internal/rows"
)

func TestRowsThatHaveTheSameHashAreToldApartByPlaceAndKey(t *testing.T) {
	const hash = 5
	level := rows.New()
	for _, place := range places {
		for _, key := range allKeys {
			level.Set(hash, place, []byte(key), []byte{byte(place), key[0]})
		}
	}
	for _, place := range places {
		for _, key := range allKeys {
			got, found := level.All().Find(hash, place, []byte(key))
			if want := string([]byte{byte(place), key[0]}); !found || string(got) != want {
				t.Errorf("%d, %q: found %v %q, want %q", place, key, found, got, want)
			}
		}
	}
}

func TestACursorOfWhoWritesFindsWhatWasWrittenSinceItLastMoved(t *testing.T) {
	level := rows.New()
	cursor := level.All().Cursor(1)
	for _, key := range []string{"m", "x", "b"} {
		set(level, 1, key, "v")
		if cursor.Seek([]byte(key)); string(cursor.Key()) != key {
			t.Errorf("the cursor stands at %q, want %q", cursor.Key(), key)
		}
	}
}
