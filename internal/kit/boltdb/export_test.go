package boltdb

import "context"

// RoomFor is what a copy asks for before it begins.
var RoomFor = roomFor

// WhileNothingIsWritten runs fn between two commits and between two generations.
func (db *DB) WhileNothingIsWritten(fn func()) error {
	return db.Update(context.Background(), func(*Tx) error {
		db.sweeping.Lock()
		defer db.sweeping.Unlock()
		fn()
		return nil
	})
}
