package dict

import (
	"bytes"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
)

// Walk looks up many names, or many numbers, each time a greater one than before, or the same: one after the other they stand near.
type Walk struct {
	rows *boltdb.Walk
	key  []byte
}

// Walk returns a walk that has looked up nothing yet. It is for names of one kind, or for numbers.
func (d Dict) Walk() *Walk { return &Walk{rows: d.bucket.Walk()} }

// Find returns the number of a name, and whether it has one.
func (w *Walk) Find(kind byte, name string) (uint32, bool, error) {
	if name == "" {
		return 0, true, nil
	}
	w.key = append(append(w.key[:0], byName, kind), name...)
	sealed := w.at()
	if sealed == nil {
		return 0, false, nil
	}
	number, err := readNumber(w.key, sealed)
	return number, err == nil, err
}

// Name returns the name that has a number, or ErrUnknown.
func (w *Walk) Name(number uint32) (string, error) {
	if number == 0 {
		return "", nil
	}
	w.key = appendNumberKey(w.key[:0], number)
	return readName(number, w.key, w.at())
}

// at returns what is under the key, nil if nothing is.
func (w *Walk) at() []byte {
	if w.rows.To(w.key); bytes.Equal(w.rows.Key, w.key) {
		return w.rows.Value
	}
	return nil
}
