package traffic

import (
	"encoding/hex"
	"strconv"
	"time"
)

// Feature is what a track call is the use of, and where.
type Feature struct{ Name, Module string }

var features = []Feature{
	{"Report Viewed", "Reports"},
	{"Report Exported", "Reports"},
	{"Report Scheduled", "Reports"},
	{"Filter Applied", "Reports"},
	{"Invoice Created", "Billing"},
	{"Invoice Sent", "Billing"},
	{"Payment Recorded", "Billing"},
	{"Task Created", "Tasks"},
	{"Task Completed", "Tasks"},
	{"Task Assigned", "Tasks"},
	{"Comment Added", "Tasks"},
	{"Contact Added", "Contacts"},
	{"Contact Merged", "Contacts"},
	{"Segment Saved", "Contacts"},
	{"Email Drafted", "Campaigns"},
	{"Campaign Launched", "Campaigns"},
	{"Template Saved", "Campaigns"},
	{"Dashboard Opened", "Dashboards"},
	{"Widget Moved", "Dashboards"},
	{"Dashboard Shared", "Dashboards"},
	{"Import Started", "Data"},
	{"Import Finished", "Data"},
	{"Integration Enabled", "Settings"},
	{"Role Changed", "Settings"},
}

// The context that a browser's library sends along, as that of most calls is: the same few.
const contextHead = `"context":{"ip":"203.0.113.24","library":{"name":"analytics.js","version":"next-1.70.0"},"locale":"en-US",` +
	`"page":{"path":"/reports/1042","referrer":"","title":"Reports","url":"https://app.example.com/reports/1042"},` +
	`"userAgent":"Mozilla/5.0 (X11; Linux x86_64) Chrome/141.0 Safari/537.36"`

// UserID is how the calls write a user.
func (*Stream) UserID(user int) string { return "usr_" + spread(user) }

// AccountID is how the calls write an account.
func (*Stream) AccountID(account int) string { return "org_" + spread(account) }

// MessageID is the message id of a call.
func (s *Stream) MessageID(c Call) string { return string(s.appendMessageID(nil, c)) }

// AnonymousID is the session id of a call.
func (*Stream) AnonymousID(c Call) string { return string(appendUUID(nil, c.device)) }

// spread writes a rank so that ids that are near each other in rank are not so in order.
func spread(rank int) string {
	x := uint32(rank) * 0x9e3779b1 // odd: no two ranks meet
	return hex.EncodeToString([]byte{byte(x >> 24), byte(x >> 16), byte(x >> 8), byte(x)})
}

func (s *Stream) appendMessageID(b []byte, c Call) []byte {
	b = append(b, "ajs-next-"...)
	b = strconv.AppendInt(b, c.TimeMS, 10)
	b = append(b, '-')
	return appendUUID(b, mix(c.Number+s.config.Seed<<40))
}

func appendUUID(b []byte, x uint64) []byte {
	var raw [16]byte
	for i, y := 0, x; i < 16; i++ {
		if i == 8 {
			y = mix(x)
		}
		raw[i] = byte(y)
		y >>= 8
	}
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	for i, group := range [][]byte{raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:]} {
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, group)
	}
	return b
}

// Append appends a call as JSON.
func (s *Stream) Append(b []byte, c Call) []byte {
	b = append(b, `{"type":"`...)
	b = append(b, c.Kind...)
	b = append(b, `","anonymousId":"`...)
	b = appendUUID(b, c.device)
	b = append(b, `","userId":"usr_`...)
	b = append(b, spread(c.User)...)
	b = append(b, `",`...)
	b = append(b, contextHead...)
	if c.Named && c.Kind != Group {
		b = append(b, `,"groupId":"org_`...)
		b = append(b, spread(c.Account)...)
		b = append(b, '"')
	}
	b = append(b, `},"integrations":{},"messageId":"`...)
	b = s.appendMessageID(b, c)
	b = append(b, '"')
	for _, name := range []string{"originalTimestamp", "timestamp", "sentAt"} {
		b = append(b, `,"`...)
		b = append(b, name...)
		b = append(b, `":"`...)
		b = appendTime(b, c.TimeMS)
		b = append(b, '"')
	}
	b = s.appendBody(b, c)
	return append(b, `}`...)
}

func (s *Stream) appendBody(b []byte, c Call) []byte {
	switch c.Kind {
	case Identify:
		b = append(b, `,"traits":{`...)
		return append(appendTraits(b, s.UserTraits(c)), '}')
	case Group:
		b = append(b, `,"groupId":"org_`...)
		b = append(b, spread(c.Account)...)
		b = append(b, `","traits":{"employees":`...)
		b = strconv.AppendUint(b, s.Employees(c), 10)
		b = append(b, ',')
		return append(appendTraits(b, s.AccountTraits(c)), '}')
	case Page:
		b = append(b, `,"name":"`...)
		b = append(b, c.Feature.Name...)
		b = append(b, `","properties":{"module":"`...)
		b = append(b, c.Feature.Module...)
		return append(b, `"}`...)
	default:
		b = append(b, `,"event":"`...)
		b = append(b, c.Feature.Name...)
		b = append(b, `","properties":{"module":"`...)
		b = append(b, c.Feature.Module...)
		b = append(b, `","rows":`...)
		b = strconv.AppendUint(b, c.noise%1000, 10)
		return append(b, `,"format":"csv","plan":"Pro"}`...)
	}
}

func appendTime(b []byte, ms int64) []byte {
	return time.UnixMilli(ms).UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
}
