package grpcapi

import (
	"context"
	"strconv"

	"github.com/sojournhq/sojourn/internal/kit/page"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
)

// pageBytes is after how many bytes of bodies a page ends.
const pageBytes = 4 << 20

// ListRejectedCalls implements identityv1.QueryServiceServer.
func (a *API) ListRejectedCalls(
	ctx context.Context, r *identityv1.ListRejectedCallsRequest,
) (*identityv1.ListRejectedCallsResponse, error) {
	if err := required(r.GetWorkspace(), "", nil); err != nil {
		return nil, toStatus(err)
	}
	size, err := page.Size(r.GetPageSize())
	if err != nil {
		return nil, toStatus(err)
	}
	before, err := beforeOf(r)
	if err != nil {
		return nil, toStatus(err)
	}
	settings := a.settings(r.GetWorkspace())
	keepFromMS := settings.KeepFromMS(a.now())
	response, last, bytes, more := &identityv1.ListRejectedCallsResponse{}, uint64(0), 0, false
	err = a.store.Kept(ctx, r.GetWorkspace(), before, func(k *directory.Kept) bool {
		if !asked(r, k) || k.ReceivedMS < keepFromMS {
			return true
		}
		if more = len(response.GetCalls()) == size || bytes >= pageBytes; more {
			return false
		}
		response.Calls, last = append(response.Calls, toRejectedCall(k)), k.Number
		bytes += len(k.Body)
		return true
	})
	if err == nil && more {
		response.NextPageToken, err = page.Token(r, strconv.FormatUint(last, 10))
	}
	if err != nil {
		return nil, toStatus(err)
	}
	return response, nil
}

// beforeOf returns the number that a page goes on below; 0 for the first page.
func beforeOf(r *identityv1.ListRejectedCallsRequest) (uint64, error) {
	position, err := page.Position(r, r.GetPageToken(), 1)
	if err != nil || position == nil {
		return 0, err
	}
	before, err := strconv.ParseUint(position[0], 10, 64)
	if err != nil {
		return 0, page.ErrToken
	}
	return before, nil
}

func asked(r *identityv1.ListRejectedCallsRequest, k *directory.Kept) bool {
	return matches(r.GetSource(), k.Source) && matches(r.GetType(), k.Type) && matches(r.GetCode(), k.Code)
}

// matches says whether a value is the one asked for; none asked for matches all.
func matches(want, got string) bool { return want == "" || want == got }
