// Package memory remembers across transactions what they found in a table, for tables of which every change raises a number that is kept
// in the table itself.
//
// That number is what makes it safe: a transaction that is undone leaves the table at the number from before it, and so does a file that
// was put in place of another; then whatever is remembered is forgotten. Only what writes may use a memory, as one transaction at a time.
package memory

// Table remembers values by key, the latest and those lately asked for: between half and all of its limit.
type Table[K comparable, V any] struct {
	limit   int
	version uint64

	// What is asked for moves from old to young; a full young becomes the old, and the old is forgotten.
	young, old map[K]V
}

// New returns a memory that holds at most limit values.
func New[K comparable, V any](limit int) *Table[K, V] {
	return &Table[K, V]{limit: limit, young: map[K]V{}}
}

// At begins a transaction, which found the table at a version. Of another version than that last left nothing is remembered.
func (t *Table[K, V]) At(version uint64) {
	if t.version != version {
		t.version, t.young, t.old = version, map[K]V{}, nil
	}
}

// Left says that the transaction has brought the table to a version. What is remembered must hold for it, so what no longer does has to be
// forgotten first.
func (t *Table[K, V]) Left(version uint64) { t.version = version }

// Get returns what is remembered under a key.
func (t *Table[K, V]) Get(key K) (value V, ok bool) {
	if value, ok = t.young[key]; ok {
		return value, true
	}
	if value, ok = t.old[key]; ok {
		t.Set(key, value)
	}
	return value, ok
}

// Set remembers a value under a key, which it keeps.
func (t *Table[K, V]) Set(key K, value V) {
	if len(t.young) >= t.limit/2 {
		t.young, t.old = make(map[K]V, t.limit/2), t.young
	}
	t.young[key] = value
}

// Forget forgets what is remembered under a key.
func (t *Table[K, V]) Forget(key K) {
	delete(t.young, key)
	delete(t.old, key)
}
