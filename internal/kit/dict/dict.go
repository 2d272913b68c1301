// Package dict gives names short numbers for good, inside a bbolt bucket, so that rows can hold four bytes in place of a name.
package dict

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/memory"
	"github.com/sojournhq/sojourn/internal/kit/record"
)

// ErrUnknown says that no name has the number asked for: the file is damaged.
var ErrUnknown = fmt.Errorf("%w: unknown dictionary number", record.ErrCorrupt)

// Two kinds of rows: by name (prefix, kind, name → number) and by number (prefix, number → kind, name).
const (
	byName   = 'n'
	byNumber = 'i'
)

// Dict is a dictionary in one bucket, for the life of that bucket's transaction. Names of different kinds never meet. The empty name
// is number 0 of every kind and is not stored.
type Dict struct {
	bucket *boltdb.Bucket
	known  *Known // nil: none
}

// Known remembers numbers from one transaction that writes to the next. The bucket's sequence, which numbers the names, is its version.
type Known struct{ *memory.Table[id, uint32] }

type id struct {
	kind byte
	name string
}

// NewKnown returns a memory of at most so many names.
func NewKnown(limit int) *Known { return &Known{memory.New[id, uint32](limit)} }

// In returns the dictionary that lives in bucket, which holds nothing else.
func In(bucket *boltdb.Bucket) Dict { return Dict{bucket: bucket} }

// Knowing returns the dictionary for a transaction that writes, with what those before it found. All that write to the bucket must share
// the memory.
func Knowing(bucket *boltdb.Bucket, known *Known) Dict {
	known.At(bucket.Sequence())
	return Dict{bucket, known}
}

// Number returns the number of a name, giving it the next one if it has none. It needs a writable transaction.
func (d Dict) Number(kind byte, name string) (uint32, error) {
	number, _, err := d.NumberNew(kind, name)
	return number, err
}

// NumberNew is Number, and says whether the name had none before.
func (d Dict) NumberNew(kind byte, name string) (number uint32, isNew bool, err error) {
	if d.known != nil && name != "" {
		if n, ok := d.known.Get(id{kind, name}); ok {
			return n, false, nil
		}
	}
	n, ok, err := d.Find(kind, name)
	if err != nil {
		return 0, false, err
	}
	if !ok {
		if n, err = d.add(kind, name); err != nil {
			return 0, false, err
		}
	}
	if d.known != nil && name != "" {
		d.known.Set(id{kind, strings.Clone(name)}, n) // a clone, for the name may be part of a whole request
	}
	return n, !ok, nil
}

// next raises the sequence.
func (d Dict) next() (uint64, error) {
	next, err := d.bucket.NextSequence()
	if err != nil {
		return 0, fmt.Errorf("number a name: %w", err)
	}
	if d.known != nil {
		d.known.Left(next)
	}
	return next, nil
}

// add gives a name the next number.
func (d Dict) add(kind byte, name string) (uint32, error) {
	next, err := d.next()
	if err != nil {
		return 0, err
	}
	if next > math.MaxUint32 {
		return 0, errors.New("dictionary is full")
	}
	number := binary.BigEndian.AppendUint32(nil, uint32(next))
	nameKey, numberKey := nameKey(kind, name), numberKey(uint32(next))
	if err := d.bucket.Put(nameKey, record.Seal(nameKey, number)); err != nil {
		return 0, fmt.Errorf("store a name: %w", err)
	}
	if err := d.bucket.Put(numberKey, record.Seal(numberKey, append([]byte{kind}, name...))); err != nil {
		return 0, fmt.Errorf("store a number: %w", err)
	}
	return uint32(next), nil
}

// Find returns the number of a name, and whether it has one.
func (d Dict) Find(kind byte, name string) (uint32, bool, error) {
	if name == "" {
		return 0, true, nil
	}
	var room [96]byte
	key := append(append(room[:0], byName, kind), name...)
	sealed := d.bucket.Get(key)
	if sealed == nil {
		return 0, false, nil
	}
	number, err := readNumber(key, sealed)
	return number, err == nil, err
}

// readNumber returns the number that is under the key of a name.
func readNumber(key, sealed []byte) (uint32, error) {
	value, err := record.Open(key, sealed)
	if err != nil {
		return 0, err
	}
	if len(value) != 4 {
		return 0, fmt.Errorf("%w: dictionary number of %d bytes", record.ErrCorrupt, len(value))
	}
	return binary.BigEndian.Uint32(value), nil
}

// Name returns the name that has a number, or ErrUnknown.
func (d Dict) Name(number uint32) (string, error) {
	if number == 0 {
		return "", nil
	}
	key := numberKey(number)
	return readName(number, key, d.bucket.Get(key))
}

// readName returns the name that is under the key of a number; nil: nothing is.
func readName(number uint32, key, sealed []byte) (string, error) {
	if sealed == nil {
		return "", fmt.Errorf("%w: %d", ErrUnknown, number)
	}
	value, err := record.Open(key, sealed)
	if err != nil {
		return "", err
	}
	if len(value) < 1 {
		return "", fmt.Errorf("%w: empty dictionary name", record.ErrCorrupt)
	}
	return string(value[1:]), nil
}

// Remove takes a name out of the dictionary. Its number is never given again, and must stand in no row any more. It takes a number of the
// sequence, so that whoever remembers numbers sees that they have changed.
func (d Dict) Remove(kind byte, name string) error {
	number, ok, err := d.Find(kind, name)
	if err != nil || !ok || name == "" {
		return err
	}
	if d.known != nil {
		d.known.Forget(id{kind, name})
	}
	if _, err := d.next(); err != nil {
		return err
	}
	if err := cmp.Or(d.bucket.Delete(nameKey(kind, name)), d.bucket.Delete(numberKey(number))); err != nil {
		return fmt.Errorf("remove a name: %w", err)
	}
	return nil
}

// Sweep removes every name whose number is not in use.
func (d Dict) Sweep(used func(number uint32) bool) (removed int, err error) {
	type entry struct {
		kind byte
		name string
	}
	var unused []entry
	cursor := d.bucket.Cursor()
	for key, sealed := cursor.Seek([]byte{byNumber}); len(key) == 5 && key[0] == byNumber; key, sealed = cursor.Next() {
		value, err := record.Open(key, sealed)
		if err != nil {
			return 0, err
		}
		if len(value) > 0 && !used(binary.BigEndian.Uint32(key[1:])) {
			unused = append(unused, entry{value[0], string(value[1:])})
		}
	}
	for _, e := range unused {
		if err := d.Remove(e.kind, e.name); err != nil {
			return 0, err
		}
	}
	return len(unused), nil
}

// Check reads every row and tells found of each that is damaged or whose counterpart does not say the same.
func (d Dict) Check(found func(message string)) {
	cursor := d.bucket.Cursor()
	for key, sealed := cursor.First(); key != nil; key, sealed = cursor.Next() {
		value, err := record.Open(key, sealed)
		switch {
		case err != nil:
			found(err.Error())
		case key[0] == byName && len(key) > 2 && len(value) == 4:
			if back, err := d.value(numberKey(binary.BigEndian.Uint32(value))); err != nil || string(back) != string(key[1:]) {
				found(fmt.Sprintf("number %d does not lead back to its name", binary.BigEndian.Uint32(value)))
			}
		case key[0] == byNumber && len(key) == 5 && len(value) > 1:
			if back, err := d.value(nameKey(value[0], string(value[1:]))); err != nil || string(back) != string(key[1:]) {
				found(fmt.Sprintf("the name of number %d does not lead back to it", binary.BigEndian.Uint32(key[1:])))
			}
		default:
			found(fmt.Sprintf("a row that is neither a name nor a number, under key %x", key))
		}
	}
}

func (d Dict) value(key []byte) ([]byte, error) { return record.Open(key, d.bucket.Get(key)) }

func nameKey(kind byte, name string) []byte { return append([]byte{byName, kind}, name...) }

func numberKey(number uint32) []byte { return appendNumberKey(nil, number) }

func appendNumberKey(dst []byte, number uint32) []byte {
	return binary.BigEndian.AppendUint32(append(dst, byNumber), number)
}
