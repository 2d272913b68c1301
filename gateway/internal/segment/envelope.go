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
	integrations                                       jsontext.Value
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
	case "integrations":
		return &e.integrations
	}
	return nil
}

// readEnvelope takes the members of the call.
func (p *parser) readEnvelope() *Problem {
	if p.outline == nil || p.outline.kind(p.root) != '{' {
		return p.env.read(p.raw, p.reader())
	}
	p.outline.within(p.root, func(n int) bool {
		if f := p.env.field(string(p.outline.name(n))); f != nil {
			*f = p.outline.of(n)
		}
		return true
	})
	return nil
}

// read takes the members of the object in raw: at once where everything is as it should be, else as far as it can be read. It is as strict
// as checkStrict is.
func (e *envelope) read(raw []byte, r *reader) *Problem {
	if !deeperThan(maxDepth, raw) && e.readStrict(r.open(raw, false), raw) == nil {
		return nil
	}
	*e = envelope{}
	problem := checkStrict(raw)
	err := members(raw, func(name string, value jsontext.Value) bool {
		if f := e.field(name); f != nil && len(*f) == 0 {
			*f = value
		}
		return true
	})
	if err != nil && problem == nil {
		problem = jsonProblem(err)
	}
	return problem
}

// readStrict takes the members if nothing is wrong with raw, at any depth.
func (e *envelope) readStrict(d *jsontext.Decoder, raw []byte) error {
	switch open, err := d.ReadToken(); {
	case err != nil:
		return err
	case open.Kind() != jsontext.KindBeginObject:
		return errNotObject
	}
	for d.PeekKind() != jsontext.KindEndObject {
		name, err := d.ReadValue()
		if err != nil {
			return err
		}
		f := e.fieldOf(name)
		at, err := readSpan(d)
		if err != nil {
			return err
		}
		if f != nil {
			*f = at.of(raw)
		}
	}
	return readEnd(d)
}

// fieldOf is field by the name as it stands in JSON.
func (e *envelope) fieldOf(quoted jsontext.Value) *jsontext.Value {
	if quoted.Kind() != jsontext.KindString {
		return nil
	}
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return e.field(string(inner))
	}
	name, _ := text(quoted)
	return e.field(name)
}

// FingerprintOfCall returns the hash of the call's type and of its content in canonical form, or where that cannot be read, of the raw
// bytes.
func FingerprintOfCall(typeName string, raw []byte) Fingerprint {
	content := []byte{'{'}
	err := members(nulled(raw, notNumbers(raw)), func(name string, value jsontext.Value) bool {
		switch name {
		case "sentAt", "receivedAt", "writeKey", "type":
			// Two attempts at sending a call may differ in these. The type goes in by itself, whether it stands here or in the path.
			return true
		}
		if len(content) > 1 {
			content = append(content, ',')
		}
		// Quoting fails for invalid text only, and that cannot be brought into canonical form below.
		content, _ = jsontext.AppendQuote(content, name)
		content = append(append(content, ':'), value...)
		return true
	})
	if err != nil {
		return FingerprintOfRaw(typeName, raw)
	}
	canonical, err := jsontext.AppendFormat(nil, append(content, '}'), jsontext.ReorderRawObjects(true))
	if err != nil {
		return FingerprintOfRaw(typeName, raw)
	}
	return FingerprintOf([]byte(typeName+"\n"), canonical)
}

// FingerprintOfRaw returns the fingerprint of something that is no call that can be read, and is counted under a type; empty: under none.
// The type goes in, so that what one type is counted for does not depend on whether another came before with the same content.
func FingerprintOfRaw(typeName string, raw []byte) Fingerprint {
	if typeName == "" {
		return FingerprintOf(raw)
	}
	return FingerprintOf([]byte(typeName+"\n"), raw)
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
func (p *parser) readMessageID() *Problem {
	id, problem := p.id(p.env.messageID, "messageId", "message_id", call.MaxMessageID)
	if problem != nil {
		return problem
	}
	if id == "" {
		content := FingerprintOfCall(p.typeName, p.raw)
		id = "sojourn-" + hex.EncodeToString(content[:])
	}
	p.call.MessageID = id
	return nil
}
