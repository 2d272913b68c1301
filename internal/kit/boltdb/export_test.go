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

// WhileCompacting has fn told what has been done of every compaction from now on. What it returns is taken for an error of the next step.
func (db *DB) WhileCompacting(fn func(step string) error) { db.compactions.reached = fn }

// FreeOnDisk has the store believe that so much is free on its disk.
func (db *DB) FreeOnDisk(free func() int64) {
	db.room.free = func(string) (int64, bool) { return free(), true }
}

// Retired waits until the file before the last compaction is closed.
func (db *DB) Retired() { <-db.bolt.gone }

// StillThere is what a file that was opened is asked.
var StillThere = stillThere

// AwaitEnd waits until Close has asked what is compacted to end.
func (db *DB) AwaitEnd() { <-db.compactions.closing.Done() }

// WhileLogging runs fn before every transaction is made durable. What it returns is taken for why that is not possible.
func (db *DB) WhileLogging(fn func() error) {
	db.log = func(tx *Tx) error {
		if err := fn(); err != nil {
			return err
		}
		return db.logChanges(tx)
	}
}

// OpenAfter opens a file for which everything was prepared before something else was done.
func OpenAfter(o Options, do func() error) error {
	want, err := prepare(o)
	if err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	b, _, err := openPrepared(o, want)
	if err != nil {
		return err
	}
	return b.Close()
}
