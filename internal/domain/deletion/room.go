package deletion

import (
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
)

// Room returns boltdb.ErrFull unless a store has room for calls. Where all of them delete, that is as long as anything is left of the
// reserve for them: they make room. Where others are among them, all have to wait, for a request is stored whole or not at all.
func Room(db *boltdb.DB, calls []call.Call) error {
	if len(calls) > 0 && !slices.ContainsFunc(calls, adds) {
		return db.RoomToDelete()
	}
	return db.Room()
}

func adds(c call.Call) bool { return c.Type != call.Delete }
