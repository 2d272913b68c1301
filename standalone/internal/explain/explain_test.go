package explain_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const when = `"messageId":"m","anonymousId":"s1","userId":"ada"`

func TestWhatACallWouldBecomeIsSaidLineByLine(t *testing.T) {
	s := source(t, "account: [context.org, properties.org]\nmodule: [properties.area, {literal: Elsewhere, types: [page]}]")
	for name, c := range map[string]struct{ body, want string }{
		"rejected, with what was found before": {
			`{"type":"track",` + when + `,"timestamp":"2026-11-24T11:00:00","properties":{"org":7}}`, `
  track       would be rejected: event is required: the name of the feature that was used (event_required)
  messageId   m
  account     7 (properties.org, by mapping.account[1])
  user        ada (userId)
  session     s1 (anonymousId)
  warning     timestamp has no time zone and was taken as UTC: end it with Z or an offset (timestamp_zone_missing)
`,
		},
		"inactive": {
			`{"type":"identify",` + when + `,"timestamp":"2026-11-24T11:00:00Z","context":{"active":false},"traits":{"role":"boss"}}`, `
  identify    would be taken
  messageId   m
  feature     none: no use of a feature
  module      none: in a session, the one before goes on
  account     not named: that of the user, as resolved when it is asked for
  user        ada (userId)
  session     s1 (anonymousId)
  time        2026-11-24T11:00:00.000Z (timestamp; the call's own timestamp)
  activity    none: context.active is false, so it moves nobody's last seen
  traits      1
`,
		},
		"no JSON": {`{"type":"track"`, `
  track       would be rejected: the JSON cannot be read at byte 15 (json_invalid)
  messageId   –
`},
		"a batch without calls": {`{"batch":[]}`, `
  refused as a whole  the batch holds no calls: send at least one (empty_batch)
`},
		"an array, with a context that drives terminals": {
			`[{"type":"page","context":{"org":"\u001b[2J\u009b"},` + when + `,"originalTimestamp":"2026-11-24T10:00:00Z","timestamp":"2026-11-24T11:00:00Z"},{}]`, `
call 1 of 2
  page        would be taken
  messageId   m
  feature     none: no use of a feature
  module      Elsewhere (a literal, by mapping.module[1])
  account     "\x1b[2J\u009b" (context.org, by mapping.account[0])
  user        ada (userId)
  session     s1 (anonymousId)
  time        2026-11-24T11:00:00.000Z (originalTimestamp; Segment's timestamp, because the two differ by more than max_clock_skew)
  warning     the event time was moved ahead by 1h0m0s, to timestamp, because originalTimestamp is off by more than max_clock_skew: check the clock of the device (time_corrected)

call 2 of 2
  –           would be rejected: type is required: track, identify, group, page, screen, alias or delete (type_required)
  messageId   –
`,
		},
		"a wrong clock, in a batch": {
			`{"sentAt":"2026-11-24T13:00:00Z","context":{"org":"acme"},"batch":[{"type":"alias",` + when + `,"previousId":"a","timestamp":"2026-11-24T12:30:00Z"}]}`, `
  alias       would be taken
  messageId   m
  feature     none: no use of a feature
  module      none: in a session, the one before goes on
  account     acme (context.org, by mapping.account[0])
  user        ada (userId)
  session     s1 (anonymousId)
  time        2026-11-24T11:30:00.000Z (timestamp; moved by as much as sentAt is off the receipt, which is more than max_clock_skew)
  warning     the event time was moved back by 1h0m0s, as much as sentAt is off the receipt: check the clock of the sender, and that sentAt is set when the call is sent (time_corrected)
`,
		},
		"a time ahead": {
			`{"type":"identify",` + when + `,"timestamp":"2027-01-01T00:00:00Z","traits":{"a":{"b":1},"c":null}}`, `
  identify    would be taken
  messageId   m
  feature     none: no use of a feature
  module      none: in a session, the one before goes on
  account     not named: that of the user, as resolved when it is asked for
  user        ada (userId)
  session     s1 (anonymousId)
  time        2026-11-24T12:00:00.000Z (timestamp; set to the time of receipt, because it lies too far ahead of it)
  traits      2
  warning     the event time lies too far ahead and was set to the time of receipt: check the sender's clock (timestamp_clamped)
`,
		},
	} {
		if diff := cmp.Diff(strings.Trim(c.want, "\n"), explained(t, s, c.body)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
