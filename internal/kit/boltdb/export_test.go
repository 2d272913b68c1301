package boltdb

// RoomFor is what a copy asks for before it begins.
var RoomFor = roomFor

// WhileNothingIsApplied runs fn between two generations.
func (db *DB) WhileNothingIsApplied(fn func()) {
	db.sweeping.Lock()
	defer db.sweeping.Unlock()
	fn()
}
