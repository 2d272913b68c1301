package grpcapi

import (
	"google.golang.org/grpc"

	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
)

// TailCalls implements identityv1.QueryServiceServer.
func (a *API) TailCalls(r *identityv1.TailCallsRequest, stream grpc.ServerStreamingServer[identityv1.TailCallsResponse]) error {
	if err := required(r.GetWorkspace(), "", nil); err != nil {
		return toStatus(err)
	}
	watcher, err := a.tail.Watch(r.GetWorkspace(), func(c *identityv1.ReceivedCall) bool { return wanted(r, c) })
	if err != nil {
		return toStatus(err)
	}
	defer watcher.Leave()
	if err := stream.Send(&identityv1.TailCallsResponse{}); err != nil {
		return err
	}
	for {
		calls, missed, err := watcher.Next(stream.Context())
		if err != nil {
			return toStatus(err)
		}
		for _, c := range calls {
			if err := stream.Send(&identityv1.TailCallsResponse{Call: c}); err != nil {
				return err
			}
		}
		if missed > 0 {
			if err := stream.Send(&identityv1.TailCallsResponse{Missed: missed}); err != nil {
				return err
			}
		}
	}
}

func wanted(r *identityv1.TailCallsRequest, c *identityv1.ReceivedCall) bool {
	return matches(r.GetSource(), c.GetSource()) && matches(r.GetType(), c.GetType()) &&
		(r.GetOutcome() == identityv1.CallOutcome_CALL_OUTCOME_UNSPECIFIED || r.GetOutcome() == c.GetOutcome()) &&
		(r.GetUserId() == "" || r.GetUserId() == c.GetCall().GetUserId() || r.GetUserId() == c.GetRejected().GetUserId())
}
