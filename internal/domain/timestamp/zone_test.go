package timestamp_test

import (
	"testing"
	"time"
	_ "time/tzdata" // so that the zones are there wherever the test runs

	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/domain/timestamp"
)

func zone(t interface{ Fatal(...any) }, name string) *time.Location {
	loaded, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func wall(t *testing.T, text string) int64 {
	t.Helper()
	ms, _, err := timestamp.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return ms
}

func TestWhatClocksShowTwiceIsTheFirstTimeAndWhatTheySkipIsAsLongAfter(t *testing.T) {
	for _, c := range []struct{ zone, shown, want string }{
		{"UTC", "2026-11-01T12:00:00", "2026-11-01T12:00:00Z"},
		{"Europe/Berlin", "2026-01-20T10:00:00", "2026-01-20T09:00:00Z"},
		{"Europe/Berlin", "2026-07-20T10:00:00", "2026-07-20T08:00:00Z"},
		// Set forward at 02:00 to 03:00.
		{"Europe/Berlin", "2026-03-29T01:59:59.999", "2026-03-29T00:59:59.999Z"},
		{"Europe/Berlin", "2026-03-29T02:00:00", "2026-03-29T01:00:00Z"},
		{"Europe/Berlin", "2026-03-29T02:30:00", "2026-03-29T01:30:00Z"},
		{"Europe/Berlin", "2026-03-29T03:00:00", "2026-03-29T01:00:00Z"},
		{"Europe/Berlin", "2026-03-29T03:30:00", "2026-03-29T01:30:00Z"},
		// Set back at 03:00 to 02:00.
		{"Europe/Berlin", "2026-10-25T01:59:59.999", "2026-10-24T23:59:59.999Z"},
		{"Europe/Berlin", "2026-10-25T02:00:00", "2026-10-25T00:00:00Z"},
		{"Europe/Berlin", "2026-10-25T02:59:59.999", "2026-10-25T00:59:59.999Z"},
		{"Europe/Berlin", "2026-10-25T03:00:00", "2026-10-25T02:00:00Z"},
		{"America/New_York", "2026-03-08T02:30:00", "2026-03-08T07:30:00Z"},
		{"America/New_York", "2026-11-01T01:30:00", "2026-11-01T05:30:00Z"},
		{"America/New_York", "2026-11-01T02:00:00", "2026-11-01T07:00:00Z"},
		{"Australia/Lord_Howe", "2026-04-05T01:45:00", "2026-04-04T14:45:00Z"}, // half an hour
		{"Asia/Kathmandu", "2026-11-01T12:00:00", "2026-11-01T06:15:00Z"},
		{"Pacific/Kiritimati", "2026-11-01T12:00:00", "2026-10-31T22:00:00Z"},
		{"Pacific/Apia", "2011-12-29T23:59:59", "2011-12-30T09:59:59Z"},
		{"Pacific/Apia", "2011-12-30T12:00:00", "2011-12-30T22:00:00Z"}, // a day that was left out
		{"Pacific/Apia", "2011-12-31T00:00:00", "2011-12-30T10:00:00Z"},
	} {
		if got := timestamp.In(wall(t, c.shown), zone(t, c.zone)); got != wall(t, c.want) {
			t.Errorf("%s in %s is %s, want %s", c.shown, c.zone, time.UnixMilli(got).UTC().Format(layout), c.want)
		}
	}
}

func TestAMomentIsFoundByWhatClocksShowThen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{
			"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "Africa/Casablanca", "America/St_Johns",
		}).Draw(t, "zone")
		at := time.UnixMilli(rapid.Int64Range(0, 2_000_000_000_000).Draw(t, "moment")).In(zone(t, name))
		shown := time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), time.UTC)
		got := time.UnixMilli(timestamp.In(shown.UnixMilli(), at.Location())).In(at.Location())
		if f := "2006-01-02T15:04:05.000"; got.Format(f) != at.Format(f) || got.After(at) {
			t.Fatalf("%s became %s", at, got)
		}
	})
}

func TestWhatGoWritesIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{
			"UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Guam", "Etc/GMT+5",
		}).Draw(t, "zone")
		at := time.Unix(0, rapid.Int64Range(0, 2_000_000_000_000_000_000).Draw(t, "moment")).In(zone(t, name))
		got, zoned, err := timestamp.Parse(at.String())
		if got != at.UnixMilli() || !zoned || err != nil {
			t.Fatalf("%s is read as %d, %t, %v, want %d", at, got, zoned, err, at.UnixMilli())
		}
	})
	now := time.Now() // which has a reading of the monotonic clock
	if got, _, err := timestamp.Parse(now.String()); got != now.UnixMilli() || err != nil {
		t.Errorf("%s is read as %d, %v, want %d", now, got, err, now.UnixMilli())
	}
}
