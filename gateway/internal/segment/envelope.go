package segment

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sojournhq/sojourn/internal/domain/call"
)

// envelope is what stands at the top of a call, still as JSON, as far as it is of interest. A member that is missing is empty.
type envelope struct {
	typ, messageID                                     jsontext.Value
	originalTimestamp, timestamp, sentAt, receivedAt   jsontext.Value
	anonymousID, userID, groupID, previousID           jsontext.Value
	event, category, name, properties, traits, context jsontext.Value

	// content is the call's JSON object without what may differ between two attempts at sending it.
	content []byte
}

// field returns where the member of that name is kept, or nil. Names match exactly.
func (e *envelope) field(name string) *jsontext.Value {
	switch name {
	case "type":
		return &e.typ
	case "messageId":
		return &e.messageID
	case "originalTimestamp":
		return &e.originalTimestamp
	case "timestamp":
		return &e.timestamp
	case "sentAt":
		return &e.sentAt
	case "receivedAt":
		return &e.receivedAt
	case "anonymousId":
		return &e.anonymousID
	case "userId":
		return &e.userID
	case "groupId":
		return &e.groupID
	case "previousId":
		return &e.previousID
	case "event":
		return &e.event
	case "category":
		return &e.category
	case "name":
		return &e.name
	case "properties":
		return &e.properties
	case "traits":
		return &e.traits
	case "context":
		return &e.context
	}
	return nil
}

// read takes the members of the object in raw, as far as it can be read.
func (e *envelope) read(raw []byte) error {
	e.content = append(e.content, '{')
	err := members(raw, func(name string, value jsontext.Value) bool {
		if f := e.field(name); f != nil && len(*f) == 0 {
			*f = value
		}
		switch name {
		case "sentAt", "receivedAt", "writeKey", "type":
			// The type goes into the fingerprint by itself, whether it stands here or in the path.
			return true
		}
		if len(e.content) > 1 {
			e.content = append(e.content, ',')
		}
		// Quoting fails for invalid text only, and then the content is not used.
		e.content, _ = jsontext.AppendQuote(e.content, name)
		e.content = append(append(e.content, ':'), value...)
		return true
	})
	if e.content = append(e.content, '}'); err != nil {
		e.content = nil
	}
	return err
}

// fingerprint returns the hash of the call's content in canonical form, or where that cannot be read, of the raw bytes.
func (e *envelope) fingerprint(typeName string, raw []byte) Fingerprint {
	canonical, err := jsontext.AppendFormat(nil, e.content, jsontext.ReorderRawObjects(true))
	if err != nil {
		return FingerprintOf(raw)
	}
	return FingerprintOf([]byte(typeName+"\n"), canonical)
}

// FingerprintOf returns the fingerprint of something that is no call.
func FingerprintOf(parts ...[]byte) Fingerprint {
	sum := sha256.Sum256(bytes.Join(parts, nil))
	return Fingerprint(sum[:len(Fingerprint{})])
}

// readableMessageID returns the messageId for a rejection to name the call by, or "".
func (e *envelope) readableMessageID() string {
	id, ok := text(e.messageID)
	if id = strings.TrimSpace(id); !ok || len(id) > call.MaxMessageID {
		return ""
	}
	return id
}

// readMessageID takes the messageId. A call without one gets one that is made of its content, so that a retry gets the same.
func (p *parser) readMessageID(fingerprint Fingerprint) *Problem {
	id, problem := p.id(p.env.messageID, "messageId", "message_id", call.MaxMessageID)
	if problem != nil {
		return problem
	}
	if id == "" {
		id = "sojourn-" + hex.EncodeToString(fingerprint[:])
	}
	p.call.MessageID = id
	return nil
}
