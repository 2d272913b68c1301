package report

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"

	"github.com/sojournhq/sojourn/gateway/internal/tabular"
)

// The rows have the fields of a dump's lines, in their order, and then those that a dump has not.

func userRow(workspace string, u *identityv1.User) tabular.Object {
	return tabular.Object{
		{Name: "kind", Value: "user"},
		{Name: "workspace", Value: workspace},
		{Name: "accountId", Value: u.GetAccountId()},
		{Name: "userId", Value: u.GetUserId()},
		{Name: "traits", Value: traits(u.GetTraits())},
		{Name: "problems", Value: problemCodes(u.GetProblems())},
		{Name: "lastSeen", Value: clockIfSet(u.GetLastSeen())},
	}
}

func accountRow(workspace string, a *identityv1.Account, activity exportedActivity) tabular.Object {
	return tabular.Object{
		{Name: "kind", Value: "account"},
		{Name: "workspace", Value: workspace},
		{Name: "accountId", Value: a.GetAccountId()},
		{Name: "complete", Value: a.GetComplete()},
		{Name: "traits", Value: traits(a.GetTraits())},
		{Name: "dimensions", Value: dimensions(a.GetDimensions())},
		{Name: "problems", Value: problemCodes(a.GetProblems())},
		{Name: "activeUsers", Value: activity.activeUsers},
		{Name: "lastSeenDay", Value: activity.lastSeenDay},
		{Name: "durationMs", Value: activity.time.duration.Milliseconds()},
		{Name: "activeMs", Value: activity.time.active.Milliseconds()},
	}
}

func sessionRow(workspace string, s *sessionsv1.Session) tabular.Object {
	modules := []tabular.Object{}
	for _, m := range s.GetModules() {
		modules = append(modules, tabular.Object{
			{Name: "module", Value: m.GetModule()},
			{Name: "durationMs", Value: millis(m.GetDuration())},
			{Name: "activeMs", Value: millis(m.GetActive())},
		})
	}
	return tabular.Object{
		{Name: "kind", Value: "session"},
		{Name: "workspace", Value: workspace},
		{Name: "anonymousId", Value: s.GetAnonymousId()},
		{Name: "start", Value: clock(s.GetStart())},
		{Name: "end", Value: clock(s.GetEnd())},
		{Name: "userId", Value: s.GetUserId()},
		{Name: "accountId", Value: s.GetAccountId()},
		{Name: "durationMs", Value: millis(s.GetDuration())},
		{Name: "activeMs", Value: millis(s.GetActive())},
		{Name: "events", Value: s.GetEvents()},
		{Name: "modules", Value: modules},
		{Name: "id", Value: s.GetId()},
	}
}

func eventRow(workspace string, e *eventsv1.Event) tabular.Object {
	return tabular.Object{
		{Name: "kind", Value: "event"},
		{Name: "workspace", Value: workspace},
		{Name: "time", Value: clock(e.GetTime())},
		{Name: "messageId", Value: e.GetMessageId()},
		{Name: "feature", Value: e.GetFeature()},
		{Name: "module", Value: e.GetModule()},
		{Name: "userId", Value: e.GetUserId()},
		{Name: "accountId", Value: e.GetAccountId()},
	}
}

// traits returns all traits that there can be, by the contract's names; those that are not set have no value.
func traits(m proto.Message) tabular.Object {
	message := m.ProtoReflect()
	fields := message.Descriptor().Fields()
	var all tabular.Object
	for i := range fields.Len() {
		field := fields.Get(i)
		trait := tabular.Field{Name: string(field.Name())}
		if trait.Name == "created_at" {
			trait.Name = "createdAt" // the one that the contract does not name in snake case
		}
		if message.Has(field) {
			trait.Value = message.Get(field).Interface()
			if field.Message() != nil {
				trait.Value = nil
				if at, ok := message.Get(field).Message().Interface().(*timestamppb.Timestamp); ok {
					trait.Value = clock(at)
				}
			}
		}
		all = append(all, trait)
	}
	return all
}

// clockIfSet is clock that leaves a time without a value that is not set.
func clockIfSet(t *timestamppb.Timestamp) any {
	if t == nil {
		return nil
	}
	return clock(t)
}

// dimensions returns the values of dimensions, in the order of the settings.
func dimensions(all []*identityv1.Dimension) tabular.Loose {
	values := tabular.Loose{}
	for _, d := range all {
		value := tabular.Field{Name: d.GetName()}
		switch v := d.GetValue().(type) {
		case *identityv1.Dimension_String_:
			value.Value = v.String_
		case *identityv1.Dimension_Number:
			value.Value = v.Number
		case *identityv1.Dimension_Date:
			value.Value = clock(v.Date)
		}
		values = append(values, value)
	}
	return values
}

func problemCodes(problems []*identityv1.Problem) []string {
	var all []string
	for _, p := range problems {
		all = append(all, p.GetCode())
	}
	return all
}
