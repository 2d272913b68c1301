package boltdb_test

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/observe"
)

func TestALongReadIsLoggedOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		db, err := boltdb.Open(boltdb.Options{
			Path: path, Kind: "test", Format: 1, Deps: observe.Deps{Log: slog.New(slog.NewTextHandler(&log, nil))},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, took := range []time.Duration{59 * time.Second, 10 * time.Minute} {
			if err := db.View(func(*boltdb.Tx) error { time.Sleep(took); return nil }); err != nil {
				t.Error(err)
			}
			synctest.Wait()
			if got, want := strings.Count(log.String(), "a read transaction"), int(took/(10*time.Minute)); got != want {
				t.Errorf("%d lines after a read of %s, want %d: %s", got, took, want, &log)
			}
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
}
