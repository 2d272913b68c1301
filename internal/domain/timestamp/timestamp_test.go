package timestamp_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/timestamp"
)

// maxName is how long the name of a zone may be.
const maxName = 40

const layout = "2006-01-02T15:04:05.000Z"

func TestEveryFormThatLibrariesWriteIsRead(t *testing.T) {
	const noon = "2026-11-01T12:00:00.000Z"
	for text, want := range map[string]struct {
		time  string
		zoned bool
	}{
		"2026-11-01T12:00:00Z":            {noon, true},
		"2026-11-01T12:00:00.000Z":        {noon, true},
		"2026-11-01t12:00:00z":            {noon, true},
		"2026-11-01T13:00:00+01:00":       {noon, true},
		"2026-11-01T13:00:00+0100":        {noon, true},
		"2026-11-01T13:00:00+01":          {noon, true},
		"2026-11-01T12:00:00+0000":        {noon, true},
		"2026-11-01T12:00:00-00:00":       {noon, true},
		"2026-11-01T06:30:00-05:30":       {noon, true},
		"2026-11-01 12:00:00Z":            {noon, true},
		"2026-11-01 12:00:00 UTC":         {noon, true},
		"2026-11-01 13:00:00 +0100":       {noon, true},
		"2026-11-01T12:00:00":             {noon, false},
		"2026-11-01 12:00:00.000":         {noon, false},
		"2026-11-01T12:00":                {noon, false},
		"2026-11-01T12:00Z":               {noon, true},
		" 2026-11-01T12:00:00Z\n":         {noon, true},
		"2026-11-01T12:00:00.1Z":          {"2026-11-01T12:00:00.100Z", true},
		"2026-11-01T12:00:00,25Z":         {"2026-11-01T12:00:00.250Z", true},
		"2026-11-01T12:00:00.123999999Z":  {"2026-11-01T12:00:00.123Z", true},
		"2026-11-01T12:00:00.0009Z":       {noon, true},
		"2026-11-01":                      {"2026-11-01T00:00:00.000Z", false},
		"2024-02-29":                      {"2024-02-29T00:00:00.000Z", false},
		"2016-12-31T23:59:60Z":            {"2017-01-01T00:00:00.000Z", true},
		"1970-01-01T00:00:00Z":            {"1970-01-01T00:00:00.000Z", true},
		"1969-12-31T23:00:00-01:00":       {"1970-01-01T00:00:00.000Z", true},
		"2261-12-31T23:59:59.999Z":        {"2261-12-31T23:59:59.999Z", true},
		"1793534400":                      {noon, true},
		"1793534400000":                   {noon, true},
		"1793534400.5":                    {"2026-11-01T12:00:00.500Z", true},
		"1793534400000.9":                 {noon, true},
		"2026-11-01T12:00:00.12345678901": {"2026-11-01T12:00:00.123Z", false},
		"100000000":                       {"1973-03-03T09:46:40.000Z", true},
		"100000000.001":                   {"1973-03-03T09:46:40.001Z", true},
		// As Go's time.String writes.
		"2026-11-01 12:00:00 +0000 UTC":                                   {noon, true},
		"2026-11-01 12:00:00.123456789 +0000 UTC":                         {"2026-11-01T12:00:00.123Z", true},
		"2026-11-01 12:00:00.1 +0000 UTC m=+0.012345678":                  {"2026-11-01T12:00:00.100Z", true},
		"2026-11-01 12:00:00 +0000 UTC m=-70366.298768264":                {noon, true},
		"2026-11-01 13:00:00 +0100 CET":                                   {noon, true},
		"2026-11-01 14:00:00 +0200 CEST m=+3.000000001":                   {noon, true},
		"2026-11-01 09:00:00 -0300 -03":                                   {noon, true},
		"2026-11-01 17:30:00 +0530 +0530 m=+0.000000001":                  {noon, true},
		"2026-11-01 22:00:00 +1000 ChST":                                  {noon, true},
		"2026-11-01 04:00:00 -0800 UTC-8":                                 {noon, true},
		"2026-11-01 09:00:00 -0300 America/Argentina/ComodRivadavia":      {noon, true},
		"2026-11-01 12:00:00 +0000 +0000":                                 {noon, true},
		"2026-11-01 12:00:00 +0000 m=+0.012345678":                        {noon, true},
		"2026-11-01 12:00:00 +0000 Etc/" + strings.Repeat("a", maxName-4): {noon, true},
	} {
		ms, zoned, err := timestamp.Parse(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := time.UnixMilli(ms).UTC().Format(layout); got != want.time || zoned != want.zoned {
			t.Errorf("%q = %s, zoned %t, want %s, zoned %t", text, got, zoned, want.time, want.zoned)
		}
	}
}

func TestWhatIsNoTimeIsRefused(t *testing.T) {
	for _, text := range []string{
		"", " ", "soon", "2026", "20261101", "2026-11", "2026-11-1", "2026-13-01", "2026-02-30", "2025-02-29", "2026-00-01", "2026-01-00",
		"2026-11-01T", "2026-11-01T12", "2026-11-01T1:00:00Z", "2026-11-01T24:00:00Z", "2026-11-01T12:60:00Z", "2026-11-01T12:00:61Z",
		"2026-11-01T12:00:00.Z", "2026-11-01T12:00:00+1", "2026-11-01T12:00:00+01:", "2026-11-01T12:00:00+24:00", "2026-11-01T12:00:00+01:60",
		"2026-11-01T12:00:00ZZ", "2026-11-01T12:00:00Z ago", "2026-11-01  12:00:00", "2026-11-01T12:00:00 PST", "-2026-11-01", "2026/11/01",
		"+1793534400", "1.7935344e9", "1793534400.5.5", "17935344OO", "٢٠٢٦-١١-٠١", "2026-11-01x12:00:00",
		"0x6AE4A1C0", "Infinity", "NaN", "0", "1970", "43831", "99999999", "99999999.999", "000000000", "000043831",
		"2026-11-01 12:00:00 +0000  UTC", "2026-11-01 12:00:00 +0000 UTC ago", "2026-11-01 12:00:00 +0000UTC",
		"2026-11-01 12:00:00 +0000 U\tC", "2026-11-01 12:00:00 +0000 CÉT", "2026-11-01 12:00:00 +0000 " + strings.Repeat("a", maxName+1),
		"2026-11-01 12:00:00 +0000 UTC m=", "2026-11-01 12:00:00 +0000 UTC m=+", "2026-11-01 12:00:00 +0000 UTC m=+1",
		"2026-11-01 12:00:00 +0000 UTC m=+1.", "2026-11-01 12:00:00 +0000 UTC m=+.1", "2026-11-01 12:00:00 +0000 UTC m=1.0",
		"2026-11-01 12:00:00 +0000 UTC m=+1.0 ago", "2026-11-01 12:00:00 +0000 UTC m=+1.0.0", "2026-11-01 12:00:00 m=+1.0",
		"2026-11-01 12:00:00 UTC m=+1.0", "2026-11-01 12:00:00 CET",
	} {
		if ms, zoned, err := timestamp.Parse(text); !errors.Is(err, timestamp.ErrMalformed) || ms != 0 || zoned {
			t.Errorf("Parse(%q) = %d, %t, %v, want ErrMalformed", text, ms, zoned, err)
		}
	}
	for _, text := range []string{
		"", "1/2", "0x10", "inf", "nan", "1_000", "e", "1e", "--1", "1 ", strings.Repeat("1", 65),
		"0", "-0", "0.0005", "1", "1e-999", "2020", "20261101", "43831", "43831.5", "99999999", "99999999.999", "9.9999999999e7",
	} {
		if ms, err := timestamp.ParseNumber(text); !errors.Is(err, timestamp.ErrMalformed) || ms != 0 {
			t.Errorf("ParseNumber(%q) = %d, %v, want ErrMalformed", text, ms, err)
		}
	}
}

func TestATimeOutside1970To2261IsRefused(t *testing.T) {
	for _, text := range []string{
		"1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00+00:01", "2262-01-01T00:00:00Z", "2261-12-31T23:59:59-00:01", "0001-01-01", "9999-12-31",
		"9214646400000", "99999999999999999999",
	} {
		if ms, _, err := timestamp.Parse(text); !errors.Is(err, timestamp.ErrRange) {
			t.Errorf("Parse(%q) = %d, %v, want ErrRange", text, ms, err)
		}
	}
	for _, text := range []string{"-1", "-0.5", "9214646400000", "1e300", "1e999", "-1e999"} {
		if ms, err := timestamp.ParseNumber(text); !errors.Is(err, timestamp.ErrRange) {
			t.Errorf("ParseNumber(%q) = %d, %v, want ErrRange", text, ms, err)
		}
	}
}

func TestANumberIsSecondsAsLongAsItCanBe(t *testing.T) {
	for text, want := range map[string]int64{
		"100000000": 100000000000, "1e8": 100000000000, "100000000.0015": 100000000001,
		"1793534400":        1793534400000,
		"1793534400.123":    1793534400123,
		"1793534400.1239":   1793534400123,
		"1.7935344e9":       1793534400000,
		"1.7935344e+12":     1793534400000,
		"1793534400123":     1793534400123,
		"1793534400123.999": 1793534400123,
		"9214646399.999":    call.MaxTimeMS,
		"9214646400":        9214646400,
		"9214646399999":     call.MaxTimeMS,
	} {
		if got, err := timestamp.ParseNumber(text); err != nil || got != want {
			t.Errorf("ParseNumber(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
}

func FuzzParseAgreesWithTheStandardLibraryAndStaysInRange(f *testing.F) {
	for _, seed := range []string{
		"2026-11-01T12:00:00.123Z", "2026-11-01 12:00:00 +0100", "2026-11-01", "1793534400", "1970-01-01T00:00:00+01:00",
		"2026-11-01 13:00:00.5 +0100 CET m=+0.012345678", "2026-11-01 09:00:00 -0300 -03", "99999999",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ms, zoned, err := timestamp.Parse(text)
		if standard, e := time.Parse("2006-01-02 15:04:05.999999999 -0700 MST", text); e == nil && err == nil && ms != standard.UnixMilli() {
			t.Fatalf("Parse(%q) = %d, want %d", text, ms, standard.UnixMilli())
		}
		if standard, e := time.Parse(time.RFC3339Nano, text); e == nil {
			inRange := standard.UnixMilli() >= 0 && standard.UnixMilli() <= call.MaxTimeMS
			if (err == nil) != inRange || inRange && (ms != standard.UnixMilli() || !zoned) {
				t.Fatalf("Parse(%q) = %d, %t, %v, want %d", text, ms, zoned, err, standard.UnixMilli())
			}
		}
		if err != nil {
			return
		}
		if ms < 0 || ms > call.MaxTimeMS {
			t.Fatalf("Parse(%q) = %d, out of range", text, ms)
		}
		again, zoned, err := timestamp.Parse(time.UnixMilli(ms).UTC().Format(layout))
		if again != ms || !zoned || err != nil {
			t.Fatalf("%q: written out and read again: %d, %t, %v, want %d", text, again, zoned, err, ms)
		}
	})
}

func FuzzParseNumberStaysInRange(f *testing.F) {
	for _, seed := range []string{"0", "1793534400.5", "1e12", "-1", "9214646400"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if ms, err := timestamp.ParseNumber(text); err == nil && (ms < 0 || ms > call.MaxTimeMS) {
			t.Fatalf("ParseNumber(%q) = %d, out of range", text, ms)
		}
	})
}
