// Package callproto translates calls between their protobuf form and the domain's.
package callproto

import (
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"

	"github.com/sojournhq/sojourn/internal/domain/call"
)

// Call returns the domain's form of a call. It checks nothing: call.Check does.
func Call(m *segmentv1.Call) call.Call {
	c := call.Call{
		// The numbers are the same by definition; the test holds them together.
		Type:        call.Type(m.GetType()),
		MessageID:   m.GetMessageId(),
		OriginalMS:  m.GetOriginalTimeMs(),
		TimeMS:      m.GetTimeMs(),
		AnonymousID: m.GetAnonymousId(),
		UserID:      m.GetUserId(),
		AccountID:   m.GetAccountId(),
		Module:      m.GetModule(),
		Feature:     m.GetFeature(),
		PreviousID:  m.GetPreviousId(),
		Source:      m.GetSource(),
		Sent:        m.GetSent(),
		Inactive:    m.GetInactive(),
	}
	if n := len(m.GetTraits()); n > 0 {
		c.Traits = make([]call.Trait, 0, n)
		for _, t := range m.GetTraits() {
			c.Traits = append(c.Traits, call.Trait{Path: t.GetPath(), Value: Value(t.GetValue())})
		}
	}
	return c
}

// Value returns the domain's form of a value. A value that holds nothing counts as null.
func Value(m *segmentv1.Value) call.Value {
	switch kind := m.GetKind().(type) {
	case *segmentv1.Value_String_:
		return call.Value{Kind: call.String, Text: kind.String_}
	case *segmentv1.Value_Number:
		return call.Value{Kind: call.Number, Text: kind.Number}
	case *segmentv1.Value_Boolean:
		if kind.Boolean {
			return call.Value{Kind: call.Bool, Text: "true"}
		}
		return call.Value{Kind: call.Bool, Text: "false"}
	case *segmentv1.Value_Json:
		return call.Value{Kind: call.JSON, Text: kind.Json}
	}
	return call.Value{Kind: call.Null}
}

// FromCall returns the protobuf form of a call.
func FromCall(c *call.Call) *segmentv1.Call {
	m := &segmentv1.Call{}
	Fill(m, c)
	return m
}

// Fill makes m the protobuf form of a call. There may be many of them in one piece of memory.
func Fill(m *segmentv1.Call, c *call.Call) {
	FillWithoutTraits(m, c)
	for _, t := range c.Traits {
		m.Traits = append(m.Traits, &segmentv1.Trait{Path: t.Path, Value: FromValue(t.Value)})
	}
}

// FillWithoutTraits is Fill that leaves m without traits.
func FillWithoutTraits(m *segmentv1.Call, c *call.Call) {
	m.Type = segmentv1.CallType(c.Type)
	m.MessageId = c.MessageID
	m.OriginalTimeMs, m.TimeMs = c.OriginalMS, c.TimeMS
	m.AnonymousId, m.UserId, m.AccountId = c.AnonymousID, c.UserID, c.AccountID
	m.Module, m.Feature = c.Module, c.Feature
	m.PreviousId = c.PreviousID
	m.Source = c.Source
	m.Sent = c.Sent
	m.Inactive = c.Inactive
}

// FromValue returns the protobuf form of a value.
func FromValue(v call.Value) *segmentv1.Value {
	switch v.Kind {
	case call.String:
		return &segmentv1.Value{Kind: &segmentv1.Value_String_{String_: v.Text}}
	case call.Number:
		return &segmentv1.Value{Kind: &segmentv1.Value_Number{Number: v.Text}}
	case call.Bool:
		return &segmentv1.Value{Kind: &segmentv1.Value_Boolean{Boolean: v.Text == "true"}}
	case call.JSON:
		return &segmentv1.Value{Kind: &segmentv1.Value_Json{Json: v.Text}}
	case call.Null:
	}
	return &segmentv1.Value{Kind: &segmentv1.Value_Null{Null: true}}
}
