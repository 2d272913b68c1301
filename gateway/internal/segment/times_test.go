package segment_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

func TestEventTimesAreCorrectedOnlyForClocksThatAreWrong(t *testing.T) {
	const own, clamped = "2026-11-01T11:00:00.000Z", "timestamp_clamped timestamp"
	type changes = map[string]any
	for name, c := range map[string]struct {
		changes       changes
		want, warning string
	}{
		"timestamp alone":         {changes{"timestamp": own}, own, ""},
		"originalTimestamp alone": {changes{"timestamp": nil, "originalTimestamp": own}, own, ""},
		"both, close together": {
			changes{"originalTimestamp": own, "timestamp": "2026-11-01T11:05:00.000Z"},
			own, "",
		},
		"both, Segment's later": {
			changes{"originalTimestamp": own, "timestamp": "2026-11-01T11:05:00.001Z"},
			"2026-11-01T11:05:00.001Z", "time_corrected timestamp",
		},
		"both, Segment's earlier": {
			changes{"originalTimestamp": own, "timestamp": "2026-11-01T10:54:59.999Z"},
			"2026-11-01T10:54:59.999Z", "time_corrected timestamp",
		},
		"both, sentAt says nothing": {
			changes{"originalTimestamp": own, "timestamp": own, "sentAt": "2020-01-01T00:00:00Z"},
			own, "",
		},
		"sent just now": {changes{"timestamp": own, "sentAt": "2026-11-01T11:55:00.000Z"}, own, ""},
		"sent by a clock that is behind": {
			changes{"timestamp": own, "sentAt": "2026-11-01T11:54:59.000Z"},
			"2026-11-01T11:05:01.000Z", "time_corrected sentAt",
		},
		"sent by a clock that is ahead": {
			changes{"timestamp": "2026-11-01T20:59:00.000Z", "sentAt": "2026-11-01T21:00:00.000Z"},
			"2026-11-01T11:59:00.000Z", "time_corrected sentAt",
		},
		"received by Segment hours ago": {
			changes{"timestamp": own, "sentAt": "2026-11-01T08:00:00Z", "receivedAt": "2026-11-01T08:00:01Z"},
			own, "",
		},
		"sentAt is no time": {changes{"timestamp": own, "sentAt": "x"}, own, "sent_at_invalid sentAt"},
		"sentAt 0":          {changes{"timestamp": own, "sentAt": 0}, own, "sent_at_invalid sentAt"},
		"sentAt null":       {changes{"timestamp": own, "sentAt": raw("null")}, own, ""},
		"ahead, but not too far": {
			changes{"timestamp": "2026-11-01T12:05:00.000Z"},
			"2026-11-01T12:05:00.000Z", "",
		},
		"too far ahead": {
			changes{"timestamp": "2026-11-01T12:05:00.001Z"},
			"2026-11-01T12:00:00.000Z", clamped,
		},
		"Segment's too far ahead": {
			changes{"originalTimestamp": own, "timestamp": "2027-01-01T00:00:00Z"},
			"2026-11-01T12:00:00.000Z", clamped,
		},
		"corrected to before 1970": {
			changes{"timestamp": "1970-01-01T00:00:00Z", "sentAt": "2200-01-01T00:00:00Z"},
			"2026-11-01T12:00:00.000Z", clamped,
		},
		"no zone":      {changes{"timestamp": "2026-11-01T11:00:00"}, own, "timestamp_zone_missing timestamp"},
		"milliseconds": {changes{"timestamp": raw("1793530800000")}, own, ""},
		"seconds":      {changes{"timestamp": raw("1793530800")}, own, ""},
		"as Go prints it": {
			changes{"timestamp": nil, "originalTimestamp": "2026-11-01 12:00:00.5 +0100 CET m=+0.012345678"},
			"2026-11-01T11:00:00.500Z", "",
		},
		"as Go prints it, sent by a clock that is behind": {
			changes{"timestamp": "2026-11-01 09:00:00 +0000 UTC", "sentAt": "2026-11-01 10:00:00 +0000 UTC"},
			own, "time_corrected sentAt",
		},
		"original cannot be read": {
			changes{"originalTimestamp": "soon", "timestamp": own},
			own, "original_timestamp_invalid originalTimestamp",
		},
		"original is 0": {
			changes{"originalTimestamp": 0, "timestamp": own},
			own, "original_timestamp_invalid originalTimestamp",
		},
		"original is an object": {
			changes{"originalTimestamp": raw("{}"), "timestamp": own},
			own, "original_timestamp_invalid originalTimestamp",
		},
		"original cannot be read, and timestamp stands as Segment delivered it": {
			changes{"originalTimestamp": "soon", "timestamp": own, "sentAt": "2020-01-01T00:00:00Z"},
			own, "original_timestamp_invalid originalTimestamp",
		},
		"empty originalTimestamp is not one": {changes{"timestamp": own, "originalTimestamp": ""}, own, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := parse(t, with(c.changes), strict())
			if got.Call.TimeMS != ms(t, c.want) || warnings(got) != c.warning {
				at := time.UnixMilli(got.Call.TimeMS).UTC()
				t.Errorf("event time %v with warnings %q, want %s with %q", at, warnings(got), c.want, c.warning)
			}
		})
	}
}

func TestTheOwnTimestampIsKeptWhateverTheEventTime(t *testing.T) {
	got := parse(t, with(map[string]any{"originalTimestamp": "2026-11-01T02:00:00Z", "timestamp": "2026-11-01T11:00:00Z"}), strict())
	if got.Call.OriginalMS != ms(t, "2026-11-01T02:00:00Z") || got.Call.TimeMS != ms(t, "2026-11-01T11:00:00Z") {
		t.Errorf("own %d, event %d", got.Call.OriginalMS, got.Call.TimeMS)
	}
	got = parse(t, with(map[string]any{"timestamp": "2030-01-01T00:00:00Z"}), strict())
	if got.Call.OriginalMS != ms(t, "2030-01-01T00:00:00Z") {
		t.Errorf("own %d of a clamped call", got.Call.OriginalMS)
	}
}

func TestTheBatchSaysWhenACallWasSentThatDoesNot(t *testing.T) {
	o := strict()
	o.Batch.SentAt = []byte(`"2026-11-01T10:00:00Z"`)
	const own = "2026-11-01T09:59:00.000Z"
	if got := parse(t, with(map[string]any{"timestamp": own}), o); got.Call.TimeMS != ms(t, "2026-11-01T11:59:00Z") {
		t.Errorf("batch's sentAt: %v", time.UnixMilli(got.Call.TimeMS).UTC())
	}
	got := parse(t, with(map[string]any{"timestamp": own, "sentAt": "2026-11-01T11:59:00Z"}), o)
	if got.Call.TimeMS != ms(t, own) {
		t.Errorf("own sentAt: %v", time.UnixMilli(got.Call.TimeMS).UTC())
	}
}

// The times are those of Segment's own samples of delivered calls.
func TestCorrectedTimesAreThoseThatSegmentWorksOut(t *testing.T) {
	for name, c := range map[string]struct{ original, sent, received, want string }{
		"track": {"2019-06-21T17:35:47.381Z", "2019-06-21T17:35:47.382Z", "2019-06-21T17:35:47.405Z", "2019-06-21T17:35:47.404Z"},
		"group": {"2019-06-21T17:39:06.142Z", "2019-06-21T17:39:06.143Z", "2019-06-21T17:39:06.172Z", "2019-06-21T17:39:06.171Z"},
		"alias": {"2019-06-21T17:41:56.999Z", "2019-06-21T17:41:57.000Z", "2019-06-21T17:41:57.032Z", "2019-06-21T17:41:57.031Z"},
	} {
		times := map[string]any{"timestamp": nil, "originalTimestamp": c.original, "sentAt": c.sent, "receivedAt": c.received}
		o := strict()
		if got := parse(t, with(times), o); got.Call.TimeMS != ms(t, c.original) {
			t.Errorf("%s: a clock that is right within five minutes was corrected", name)
		}
		o.MaxClockSkew = 0
		if got := parse(t, with(times), o); got.Call.TimeMS != ms(t, c.want) {
			t.Errorf("%s: worked out %v, want %s", name, time.UnixMilli(got.Call.TimeMS).UTC(), c.want)
		}
		times["timestamp"] = c.want
		if got := parse(t, with(times), o); got.Call.TimeMS != ms(t, c.want) {
			t.Errorf("%s: Segment's time was not taken: %v", name, time.UnixMilli(got.Call.TimeMS).UTC())
		}
	}
}

func TestOfEveryTypeTheTimestampCountsWhereTheOriginalOneCannotBeRead(t *testing.T) {
	const at = "2020-05-09T23:54:49.209Z"
	for _, typeName := range []string{"track", "identify", "group", "page", "screen", "alias", "delete"} {
		changes := map[string]any{
			"type": typeName, "originalTimestamp": "last May", "timestamp": at, "receivedAt": at, "sentAt": "2020-05-09T17:49:00.000Z",
			"groupId": "g", "previousId": "p",
		}
		got := parse(t, with(changes), strict())
		if got.Call.TimeMS != ms(t, at) || got.Call.OriginalMS != ms(t, at) || warnings(got) != "original_timestamp_invalid originalTimestamp" {
			t.Errorf("%s: event time %d, own %d, warnings %q", typeName, got.Call.TimeMS, got.Call.OriginalMS, warnings(got))
		}
		if _, _, trace := segment.Explain([]byte(with(changes)), strict()); trace.Time.Path != "timestamp" || trace.Why != segment.TimeOwn {
			t.Errorf("%s: explained by %q, %q", typeName, trace.Time.Path, trace.Why)
		}
		changes["timestamp"] = nil
		if _, rejection := segment.Parse([]byte(with(changes)), strict()); rejection == nil || rejection.Code != "original_timestamp_invalid" {
			t.Errorf("%s without a timestamp: rejected as %v", typeName, rejection)
		}
	}
}

func TestADeleteAsSegmentSendsItHappenedAtItsTimestamp(t *testing.T) {
	const goTime, at = "2020-05-09 23:54:49.209808489 +0000 UTC m=+70366.298768264", "2020-05-09T23:54:49.209Z"
	got := parse(t, with(map[string]any{
		"type": "delete", "originalTimestamp": goTime, "timestamp": at, "receivedAt": at, "sentAt": "2020-05-09T17:49:00.000Z",
	}), strict())
	if got.Call.TimeMS != ms(t, at) || got.Call.OriginalMS != ms(t, at) || warnings(got) != "" {
		t.Errorf("event time %d, own %d, warnings %q", got.Call.TimeMS, got.Call.OriginalMS, warnings(got))
	}
}

func TestTheWarningOfACorrectedTimeSaysByHowMuchAndWhichWay(t *testing.T) {
	for says, changes := range map[string]map[string]any{
		"moved ahead by 2h3m0s, to timestamp":              {"originalTimestamp": "2026-11-01T08:57:00Z", "timestamp": "2026-11-01T11:00:00Z"},
		"moved back by 48h0m0.5s, to timestamp":            {"originalTimestamp": "2026-11-03T11:00:00.5Z", "timestamp": "2026-11-01T11:00:00Z"},
		"moved ahead by 2h3m0s, as much as sentAt is off":  {"timestamp": "2026-11-01T09:00:00Z", "sentAt": "2026-11-01T09:57:00Z"},
		"moved back by 5m0.001s, as much as sentAt is off": {"timestamp": "2026-11-01T12:05:00Z", "sentAt": "2026-11-01T12:05:00.001Z"},
	} {
		got := parse(t, with(changes), strict())
		if len(got.Warnings) != 1 || got.Warnings[0].Code != "time_corrected" || !strings.Contains(got.Warnings[0].Message, says) {
			t.Errorf("warned of %+v, want that it was %s", got.Warnings, says)
		}
	}
	o := strict()
	o.Batch.SentAt = []byte(`"2026-11-01T10:00:00Z"`)
	if got := parse(t, with(map[string]any{"timestamp": "2026-11-01T09:00:00Z"}), o); warnings(got) != "time_corrected sentAt" {
		t.Errorf("a batch's sentAt: %q", warnings(got))
	}
}

func TestATimeWithoutAZoneIsOneOfTheZoneInTheContext(t *testing.T) {
	const zoneless = "timestamp_zone_missing"
	type changes = map[string]any
	context := func(zone string) raw { return raw(`{"timezone":` + zone + `}`) }
	tokyo := context(`"Asia/Tokyo"`)
	for name, c := range map[string]struct {
		changes           changes
		batch             string
		want, own, warned string
	}{
		"timestamp, and sentAt in UTC": {
			changes{"timestamp": "2026-11-01T20:59:00", "sentAt": "2026-11-01T11:59:30Z", "context": tokyo},
			"", "2026-11-01T11:59:00Z", "2026-11-01T20:59:00Z", zoneless + " timestamp",
		},
		"originalTimestamp": {
			changes{"timestamp": nil, "originalTimestamp": "2026-11-01 20:59:00", "context": tokyo},
			"", "2026-11-01T11:59:00Z", "2026-11-01T20:59:00Z", zoneless + " originalTimestamp",
		},
		"both, close together": {
			changes{"timestamp": "2026-11-01T11:59:01Z", "originalTimestamp": "2026-11-01 20:59:00", "context": tokyo},
			"", "2026-11-01T11:59:00Z", "2026-11-01T20:59:00Z", zoneless + " originalTimestamp",
		},
		"a date alone": {
			changes{"timestamp": "2026-10-20", "context": tokyo},
			"", "2026-10-19T15:00:00Z", "2026-10-20T00:00:00Z", zoneless + " timestamp",
		},
		"sentAt too, by a clock that shows UTC": {
			changes{"timestamp": "2026-11-01T11:59:00", "sentAt": "2026-11-01T12:00:00", "context": tokyo},
			"", "2026-11-01T11:59:00Z", "2026-11-01T11:59:00Z", zoneless + " timestamp, " + zoneless + " sentAt, time_corrected sentAt",
		},
		"sentAt too, by a clock that shows the zone's": {
			changes{"timestamp": "2026-11-01T20:59:00", "sentAt": "2026-11-01T21:00:00", "context": tokyo},
			"", "2026-11-01T11:59:00Z", "2026-11-01T20:59:00Z", zoneless + " timestamp, " + zoneless + " sentAt",
		},
		"receivedAt is a server's": {
			changes{"timestamp": "2026-11-01T09:00:00Z", "sentAt": "2026-11-01T10:00:00Z", "receivedAt": "2026-11-01T10:00:01", "context": tokyo},
			"", "2026-11-01T09:00:00Z", "2026-11-01T09:00:00Z", "",
		},
		"of the batch": {
			changes{"timestamp": "2026-11-01T20:59:00"},
			`{"timezone":"Asia/Tokyo"}`,
			"2026-11-01T11:59:00Z", "2026-11-01T20:59:00Z", zoneless + " timestamp",
		},
		"the call's own before the batch's": {
			changes{"timestamp": "2026-11-01T12:59:00", "context": context(`"Europe/Berlin"`)},
			`{"timezone":"Asia/Tokyo"}`,
			"2026-11-01T11:59:00Z", "2026-11-01T12:59:00Z", zoneless + " timestamp",
		},
		"a time with a zone has it": {
			changes{"timestamp": "2026-11-01T11:59:00Z", "context": tokyo}, "", "2026-11-01T11:59:00Z", "2026-11-01T11:59:00Z", "",
		},
		"a number needs none": {
			changes{"timestamp": raw("1793534340"), "context": tokyo}, "", "2026-11-01T11:59:00Z", "2026-11-01T11:59:00Z", "",
		},
		"shown twice, the first":  {changes{"timestamp": "2026-10-25T02:30:00", "context": context(`"Europe/Berlin"`)}, "", "2026-10-25T00:30:00Z", "2026-10-25T02:30:00Z", zoneless + " timestamp"},
		"never shown, as long on": {changes{"timestamp": "2026-03-29T02:30:00", "context": context(`"Europe/Berlin"`)}, "", "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z", zoneless + " timestamp"},
	} {
		t.Run(name, func(t *testing.T) {
			o := strict()
			o.Batch.Context = []byte(c.batch)
			got := parse(t, with(c.changes), o)
			if got.Call.TimeMS != ms(t, c.want) || got.Call.OriginalMS != ms(t, c.own) || warnings(got) != c.warned {
				t.Errorf("event time %v, own %v with warnings %q, want %s, %s with %q", time.UnixMilli(got.Call.TimeMS).UTC(),
					time.UnixMilli(got.Call.OriginalMS).UTC(), warnings(got), c.want, c.own, c.warned)
			}
		})
	}
	if _, rejection := segment.Parse([]byte(with(changes{"timestamp": "1970-01-01", "context": tokyo})), strict()); rejection == nil || rejection.Code != "timestamp_invalid" {
		t.Errorf("before 1970 in its zone: %+v", rejection)
	}
}

func TestWhatIsNoZoneIsUTC(t *testing.T) {
	for _, zone := range []string{
		`"Mars/Olympus"`, `""`, `"Local"`, `"localtime"`, `"../../../etc/passwd"`, `"/etc/localtime"`, `"europe/berlin"`, `"UTC+2"`, `"Europe"`, `7`, `null`, `{}`,
		`"` + strings.Repeat("x", 1000) + `"`, `"a\u0000b"`, `"tzdata.zi"`,
	} {
		got := parse(t, with(map[string]any{"timestamp": "2026-11-01T11:00:00", "context": raw(`{"timezone":` + zone + `}`)}), strict())
		if got.Call.TimeMS != ms(t, "2026-11-01T11:00:00Z") || warnings(got) != "timestamp_zone_missing timestamp" ||
			!strings.Contains(got.Warnings[0].Message, "UTC") {
			t.Errorf("%.30s: event time %v, warnings %+v", zone, time.UnixMilli(got.Call.TimeMS).UTC(), got.Warnings)
		}
	}
}

func TestACallWithoutATimeHappenedAtReceiptWhereThatIsSaid(t *testing.T) {
	o := strict()
	o.AtReceipt = true
	if got := parse(t, with(map[string]any{"timestamp": nil}), o); got.Call.TimeMS != received.UnixMilli() || got.Call.OriginalMS != got.Call.TimeMS {
		t.Errorf("event time %v", time.UnixMilli(got.Call.TimeMS).UTC())
	}
	// The sender's clock has nothing to do with it.
	for _, sent := range []string{"2026-11-01T15:00:00Z", "2026-11-01T09:00:00Z"} {
		got := parse(t, with(map[string]any{"timestamp": nil, "sentAt": sent}), o)
		if got.Call.TimeMS != received.UnixMilli() || len(got.Warnings) > 0 {
			t.Errorf("sent at %s: event time %v, warnings %v", sent, time.UnixMilli(got.Call.TimeMS).UTC(), got.Warnings)
		}
	}
	const own = "2026-11-01T11:00:00.000Z"
	if got := parse(t, with(map[string]any{"timestamp": own}), o); got.Call.TimeMS != ms(t, own) {
		t.Errorf("event time %v of a call with a time", time.UnixMilli(got.Call.TimeMS).UTC())
	}
}
