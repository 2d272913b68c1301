// Package call is a Segment call as every service sees it: read, checked and mapped by the gateway, free of any encoding.
package call

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// Type is the type of a Segment call.
type Type int8

// The types of calls.
const (
	Track Type = iota + 1
	Identify
	Group
	Page
	Screen
	Alias
	Delete
)

// String returns the type as Segment writes it, such as "track"; that of no type is empty.
func (t Type) String() string {
	switch t {
	case Track:
		return "track"
	case Identify:
		return "identify"
	case Group:
		return "group"
	case Page:
		return "page"
	case Screen:
		return "screen"
	case Alias:
		return "alias"
	case Delete:
		return "delete"
	}
	return ""
}

// ParseType returns the type that Segment writes like this, or 0.
func ParseType(name string) Type {
	for t := Track; t <= Delete; t++ {
		if t.String() == name {
			return t
		}
	}
	return 0
}

// Call is one Segment call. An empty id or name means that the call has none.
type Call struct {
	Type      Type
	MessageID string
	// OriginalMS is the call's own timestamp, TimeMS its event time; both in milliseconds since 1970.
	OriginalMS, TimeMS int64
	AnonymousID        string
	UserID             string
	// AccountID is the account that the call itself names.
	AccountID  string
	Module     string
	Feature    string
	PreviousID string
	Source     string
	Traits     []Trait
	// Inactive: the sender says that the user did nothing.
	Inactive bool
	// Sent is the Fingerprint that the call would have if its source were not mapped; 0 where it is not.
	Sent uint32
}

// IsActivity says whether by the call somebody did something. Others only say who somebody is: a nightly sync makes nobody active.
func (c *Call) IsActivity() bool {
	return !c.Inactive && (c.Type == Track || c.Type == Page || c.Type == Screen)
}

// Fingerprint is a hash of what the call does, traits aside: two copies of one call never differ in it, also if the mapping of their
// source was changed between them. Inactive is not in it: copies may have been taken before it was read.
func (c *Call) Fingerprint() uint32 {
	hash, _ := c.FingerprintIn(nil)
	return hash
}

// FingerprintIn is Fingerprint with room to work in, of which it returns what may be used for the next.
func (c *Call) FingerprintIn(room []byte) (uint32, []byte) {
	if c.Sent != 0 {
		return c.Sent, room
	}
	room = append(room[:0], byte(c.Type))
	for _, part := range [...]string{c.AnonymousID, c.UserID, c.AccountID, c.Module, c.Feature, c.PreviousID} {
		room = append(binary.AppendUvarint(room, uint64(len(part))), part...)
	}
	return crc32.ChecksumIEEE(room), room
}

// Trait is one leaf of a traits object. Path joins the keys with dots; a dot or backslash in a key is escaped by a backslash.
type Trait struct {
	Path  string
	Value Value
}

// Kind is the JSON type of a value.
type Kind int8

// The kinds of values.
const (
	Null Kind = iota + 1
	String
	Number
	Bool
	JSON
)

// Value is a JSON value: Text is a string's text, a number's decimal text, "true" or "false", or the JSON of an array or empty object.
type Value struct {
	Kind Kind
	Text string
}

// Limits of a call, in bytes. Times lie from 1970 to the end of 2261.
const (
	MaxMessageID = 256
	MaxName      = 512
	MaxTimeMS    = 9_214_646_400_000 - 1
)

// Check returns nil if the call keeps the contract of sojourn.segment.v1.Call, or an error that names the field and quotes nothing.
func (c *Call) Check() error {
	if c.Type.String() == "" {
		return errors.New("type is not set")
	}
	if c.MessageID == "" {
		return errors.New("message_id is required")
	}
	if len(c.MessageID) > MaxMessageID {
		return fmt.Errorf("message_id is longer than %d bytes", MaxMessageID)
	}
	if !isTime(c.OriginalMS) {
		return errors.New("original_time_ms is outside 1970 to 2261")
	}
	if !isTime(c.TimeMS) {
		return errors.New("time_ms is outside 1970 to 2261")
	}
	if max(len(c.AnonymousID), len(c.UserID), len(c.AccountID), len(c.Module), len(c.Feature), len(c.PreviousID), len(c.Source)) > MaxName {
		return c.tooLong()
	}
	if c.Type == Alias && (c.PreviousID == "" || c.UserID == "") {
		return errors.New("an alias call needs previous_id and user_id")
	}
	if c.Type == Delete && c.UserID == "" {
		return errors.New("a delete call needs user_id")
	}
	if c.Type == Group && c.AccountID == "" {
		return errors.New("a group call needs account_id")
	}
	return nil
}

func isTime(ms int64) bool { return ms >= 0 && ms <= MaxTimeMS }

// tooLong names the first name that is too long.
func (c *Call) tooLong() error {
	for _, name := range []struct{ field, value string }{
		{"anonymous_id", c.AnonymousID},
		{"user_id", c.UserID},
		{"account_id", c.AccountID},
		{"module", c.Module},
		{"feature", c.Feature},
		{"previous_id", c.PreviousID},
		{"source", c.Source},
	} {
		if len(name.value) > MaxName {
			return fmt.Errorf("%s is longer than %d bytes", name.field, MaxName)
		}
	}
	return nil
}

// Position is where a call stands among all calls: by event time, then by messageId. Its own timestamp only tells apart two calls that
// share a messageId and whose times were corrected to the same.
type Position struct {
	TimeMS     int64
	MessageID  string
	OriginalMS int64
}

// Position returns where the call stands.
func (c *Call) Position() Position {
	return Position{TimeMS: c.TimeMS, MessageID: c.MessageID, OriginalMS: c.OriginalMS}
}

// Compare orders positions; the greater one is the later.
func (p Position) Compare(q Position) int {
	return cmp.Or(
		cmp.Compare(p.TimeMS, q.TimeMS), cmp.Compare(p.MessageID, q.MessageID), cmp.Compare(p.OriginalMS, q.OriginalMS),
	)
}

// Outcome is what became of one call in one service. All but Invalid mean: the effects of the call are durable.
type Outcome int8

// The outcomes.
const (
	// Accepted: the call was new here and is stored.
	Accepted Outcome = iota + 1
	// Duplicate: the same call was stored before; nothing changed.
	Duplicate
	// Ignored: the call holds nothing that the service keeps; nothing changed.
	Ignored
	// Invalid: the call does not pass Check and was not stored.
	Invalid
	// Conflict: another call with the same identity was accepted first; nothing changed.
	Conflict
)
