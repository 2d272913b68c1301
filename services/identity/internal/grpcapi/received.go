package grpcapi

import (
	"google.golang.org/protobuf/proto"

	"github.com/sojournhq/sojourn/internal/domain/call"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
)

// toReceived returns what became of every call of a request, for those who look on: those that count, those that were not
// understood, and those that are filtered.
func toReceived(
	r *identityv1.RecordCallsRequest, batch *directory.Batch, recorded *directory.Recorded, results []*identityv1.CallResult,
) []*identityv1.ReceivedCall {
	received := toTimestamp(batch.ReceivedMS)
	warnings := make(map[int32][]*identityv1.Warning, len(r.GetWarnings()))
	for _, w := range r.GetWarnings() {
		warnings[w.GetIndex()] = w.GetWarnings()
	}
	all := make([]*identityv1.ReceivedCall, 0, len(results)+len(batch.Rejections)+len(batch.Filtered))
	for i, m := range r.GetCalls() {
		if outcome := toCallOutcome(results[i].GetOutcome()); outcome != identityv1.CallOutcome_CALL_OUTCOME_REJECTED {
			all = append(all, &identityv1.ReceivedCall{
				Received: received, Source: m.GetSource(), Type: call.Type(m.GetType()).String(), Outcome: outcome,
				Call: at(m, results[i].GetTimeMs()), Warnings: warnings[int32(i)],
			})
		}
	}
	for i := range batch.Rejections {
		rejected := toRejectedCall(&directory.Kept{Rejection: batch.Rejections[i], ReceivedMS: batch.ReceivedMS})
		all = append(all, &identityv1.ReceivedCall{
			Received: received, Source: rejected.GetSource(), Type: rejected.GetType(), Rejected: rejected,
			Outcome: identityv1.CallOutcome_CALL_OUTCOME_REJECTED, RepeatedRejection: recorded.Repeated[i],
		})
	}
	for i, m := range r.GetFiltered() {
		all = append(all, &identityv1.ReceivedCall{
			Received: received, Source: batch.Filtered[i].Source, Type: batch.Filtered[i].Type,
			Outcome: identityv1.CallOutcome_CALL_OUTCOME_FILTERED, Call: m.GetCall(), Warnings: m.GetWarnings(),
		})
	}
	return all
}

// at returns a call with the event time that it counts with.
func at(m *segmentv1.Call, timeMS int64) *segmentv1.Call {
	if m.GetTimeMs() == timeMS {
		return m
	}
	moved := proto.CloneOf(m)
	moved.TimeMs = timeMS
	return moved
}

func toCallOutcome(o segmentv1.Outcome) identityv1.CallOutcome {
	switch o {
	case segmentv1.Outcome_OUTCOME_ACCEPTED:
		return identityv1.CallOutcome_CALL_OUTCOME_ACCEPTED
	case segmentv1.Outcome_OUTCOME_DUPLICATE:
		return identityv1.CallOutcome_CALL_OUTCOME_DUPLICATE
	case segmentv1.Outcome_OUTCOME_CONFLICT:
		return identityv1.CallOutcome_CALL_OUTCOME_CONFLICT
	default:
		return identityv1.CallOutcome_CALL_OUTCOME_REJECTED
	}
}

func toRejectedCall(k *directory.Kept) *identityv1.RejectedCall {
	return &identityv1.RejectedCall{
		Received: toTimestamp(k.ReceivedMS), Source: k.Source, Type: k.Type, MessageId: k.MessageID, UserId: k.UserID,
		Code: k.Code, Message: k.Message, Field: k.Field, Body: k.Body, BodyBytes: k.BodyBytes, Times: k.Times,
	}
}
