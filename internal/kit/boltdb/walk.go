package boltdb

import "bytes"

// Walk goes forward through the rows of a bucket, and past those that nobody needs: by steps where they are few, which costs a fraction of
// looking for a key from above.
type Walk struct {
	// Key and Value are the row that it stands at; a nil key says that there is none. They are valid until it goes on.
	Key, Value []byte

	cursor *Cursor
	begun  bool
}

// stepsBeforeSeek is how many rows are passed by steps before the next one is looked for.
const stepsBeforeSeek = 8

// Walk returns a walk that stands nowhere yet.
func (b *Bucket) Walk() *Walk { return &Walk{cursor: b.Cursor()} }

// Next moves to the next row.
func (w *Walk) Next() { w.Key, w.Value = w.cursor.Next() }

// To moves to the first row whose key is not less than a key. It stays where it stands if that is there or behind it already.
func (w *Walk) To(key []byte) {
	if w.begun {
		for range stepsBeforeSeek {
			if w.Key == nil || bytes.Compare(w.Key, key) >= 0 {
				return
			}
			w.Next()
		}
		if w.Key == nil || bytes.Compare(w.Key, key) >= 0 {
			return
		}
	}
	w.begun = true
	w.Key, w.Value = w.cursor.Seek(key)
}
