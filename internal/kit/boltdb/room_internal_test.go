package boltdb

import (
	"bytes"
	"errors"
	"log/slog"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAFullDiskIsNoticedAndSoIsRoomAndBothAreLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	free, looked := int64(200), 0
	r := newRoom(Options{Path: filepath.Join(t.TempDir(), "x.db"), ReserveBytes: 100})
	r.log = slog.New(slog.NewTextHandler(&log, nil))
	r.free = func(string) (int64, bool) { looked++; return free, true }
	for _, c := range []struct {
		at   time.Duration
		free int64
		want bool
	}{
		{0, 200, false},
		{249 * time.Millisecond, 99, false}, // not looked at again yet
		{250 * time.Millisecond, 99, true},
		{499 * time.Millisecond, 100, true},
		{501 * time.Millisecond, 100, false},
		{time.Hour, 0, true},
	} {
		free = c.free
		for range 3 {
			if got := r.full(c.at); got != c.want {
				t.Errorf("after %s with %d free: %v, want %v", c.at, c.free, got, c.want)
			}
		}
	}
	full, again := strings.Count(log.String(), "the disk is full"), strings.Count(log.String(), "room on the disk again")
	if full != 2 || again != 1 {
		t.Errorf("%d and %d lines: %s", full, again, &log)
	}
	if looked != 4 {
		t.Errorf("looked %d times, want 4", looked)
	}
}

func TestWhatAddsIsRefusedWithoutRoomAndWhatReadsOrDeletesIsNot(t *testing.T) {
	for reserve, want := range map[int64]error{0: nil, -1: nil, math.MaxInt64: ErrFull} {
		db, err := Open(Options{Path: filepath.Join(t.TempDir(), "x.db"), Kind: "test", Format: 1, ReserveBytes: reserve})
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{db.Room(), db.RoomToDelete()} {
			if !errors.Is(err, want) {
				t.Errorf("reserve %d: %v, want %v", reserve, err, want)
			}
		}
		nothing := func(*Tx) error { return nil }
		if err := errors.Join(db.View(nothing), db.Update(t.Context(), nothing), db.Close()); err != nil {
			t.Error(err)
		}
	}
}

func TestCallsThatDeleteMayUseTheReserveButForAQuarter(t *testing.T) {
	db, err := Open(Options{Path: filepath.Join(t.TempDir(), "x.db"), Kind: "test", Format: 1, ReserveBytes: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var free int64
	db.room.free = func(string) (int64, bool) { return free, true }
	for _, c := range []struct {
		free            int64
		toAdd, toDelete error
	}{{100, nil, nil}, {99, ErrFull, nil}, {25, ErrFull, nil}, {24, ErrFull, ErrFull}, {25, ErrFull, nil}, {200, nil, nil}} {
		free = c.free
		db.room.next.Store(0)
		if err := db.RoomToDelete(); !errors.Is(err, c.toDelete) {
			t.Errorf("%d free, to delete: %v, want %v", free, err, c.toDelete)
		}
		db.room.next.Store(0)
		if err := db.Room(); !errors.Is(err, c.toAdd) {
			t.Errorf("%d free, to add: %v, want %v", free, err, c.toAdd)
		}
	}
}
