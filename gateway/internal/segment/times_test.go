package segment_test

import (
	"maps"
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
			"2026-11-01T11:05:00.001Z", "",
		},
		"both, Segment's earlier": {
			changes{"originalTimestamp": own, "timestamp": "2026-11-01T10:54:59.999Z"},
			"2026-11-01T10:54:59.999Z", "",
		},
		"both, sentAt says nothing": {
			changes{"originalTimestamp": own, "timestamp": own, "sentAt": "2020-01-01T00:00:00Z"},
			own, "",
		},
		"sent just now": {changes{"timestamp": own, "sentAt": "2026-11-01T11:55:00.000Z"}, own, ""},
		"sent by a clock that is behind": {
			changes{"timestamp": own, "sentAt": "2026-11-01T11:54:59.000Z"},
			"2026-11-01T11:05:01.000Z", "",
		},
		"sent by a clock that is ahead": {
			changes{"timestamp": "2026-11-01T20:59:00.000Z", "sentAt": "2026-11-01T21:00:00.000Z"},
			"2026-11-01T11:59:00.000Z", "",
		},
		"received by Segment hours ago": {
			changes{"timestamp": own, "sentAt": "2026-11-01T08:00:00Z", "receivedAt": "2026-11-01T08:00:01Z"},
			own, "",
		},
		"sentAt is no time": {changes{"timestamp": own, "sentAt": "x"}, own, "sent_at_invalid sentAt"},
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
		"no zone":                            {changes{"timestamp": "2026-11-01T11:00:00"}, own, "timestamp_zone_missing timestamp"},
		"milliseconds":                       {changes{"timestamp": raw("1793530800000")}, own, ""},
		"seconds":                            {changes{"timestamp": raw("1793530800")}, own, ""},
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

func TestADeleteWhoseOriginalTimestampCannotBeReadHappenedAtItsTimestamp(t *testing.T) {
	const goTime, at = "2020-05-09 23:54:49.209808489 +0000 UTC m=+70366.298768264", "2020-05-09T23:54:49.209Z"
	changes := map[string]any{
		"type": "delete", "originalTimestamp": goTime, "timestamp": at, "receivedAt": at, "sentAt": "2020-05-09T17:49:00.000Z",
	}
	got := parse(t, with(changes), strict())
	if got.Call.TimeMS != ms(t, at) || got.Call.OriginalMS != ms(t, at) || warnings(got) != "" {
		t.Errorf("event time %d, own %d, warnings %q", got.Call.TimeMS, got.Call.OriginalMS, warnings(got))
	}
	for name, change := range map[string][2]any{
		"another type": {"type", "track"}, "no timestamp": {"timestamp", nil}, "timestamp as unreadable": {"timestamp", goTime},
	} {
		t.Run(name, func(t *testing.T) {
			changed := maps.Clone(changes)
			changed[change[0].(string)] = change[1]
			_, rejection := segment.Parse([]byte(with(changed)), strict())
			if rejection == nil || rejection.Code != "original_timestamp_invalid" {
				t.Errorf("rejected as %v", rejection)
			}
		})
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
