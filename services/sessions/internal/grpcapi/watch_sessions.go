package grpcapi

import (
	"encoding/base64"
	"encoding/binary"

	"google.golang.org/grpc"

	"github.com/sojournhq/sojourn/internal/domain/callproto"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// changesAtOnce is how many changes are read in one transaction of the store.
const changesAtOnce = 100

// WatchSessions implements sessionsv1.QueryServiceServer.
func (a *API) WatchSessions(r *sessionsv1.WatchSessionsRequest, stream grpc.ServerStreamingServer[sessionsv1.WatchSessionsResponse]) error {
	if r.GetWorkspace() == "" {
		return toStatus(callproto.ErrNoWorkspace)
	}
	ctx := stream.Context()
	after, ok := parseCursor(r.GetCursor())
	if !ok {
		return invalid("cursor is not one that a change came with")
	}
	if r.GetCursor() == "" && r.GetFromNow() {
		var err error
		if after, err = a.store.Newest(ctx, r.GetWorkspace()); err != nil {
			return toStatus(err)
		}
		begin := &sessionsv1.WatchSessionsResponse{Cursor: formatCursor(after), Kind: sessionsv1.ChangeKind_CHANGE_KIND_BEGIN}
		if err := stream.Send(begin); err != nil {
			return err
		}
	}
	for {
		changes, more, err := a.store.Changes(ctx, r.GetWorkspace(), after, changesAtOnce)
		if err != nil {
			return toStatus(err)
		}
		for i := range changes {
			if err := stream.Send(toChange(&changes[i])); err != nil {
				return err
			}
			after = changes[i].Cursor
		}
		if len(changes) == changesAtOnce {
			continue
		}
		select {
		case <-ctx.Done():
			return toStatus(ctx.Err())
		case <-more:
		}
	}
}

func toChange(c *session.Change) *sessionsv1.WatchSessionsResponse {
	out := &sessionsv1.WatchSessionsResponse{Cursor: formatCursor(c.Cursor), Kind: sessionsv1.ChangeKind_CHANGE_KIND_ENDED}
	if c.Removed {
		out.Kind = sessionsv1.ChangeKind_CHANGE_KIND_REMOVED
		out.Session = &sessionsv1.Session{Id: formatID(c.ID), Revision: c.Session.Revision}
	} else {
		out.Session = toProto(&c.Session)
	}
	for _, id := range c.Replaces {
		out.Replaces = append(out.Replaces, formatID(id))
	}
	return out
}

// cursorBytes is the length of a cursor before it is made text.
const cursorBytes = 16

func formatCursor(c session.Cursor) string {
	raw := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, c.Epoch), c.Number)
	return base64.RawURLEncoding.EncodeToString(raw)
}

// parseCursor reads empty text as the beginning of the feed.
func parseCursor(text string) (c session.Cursor, ok bool) {
	if text == "" {
		return c, true
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	// The decoder skips the ends of lines, so the text may be longer than it should.
	if err != nil || len(raw) != cursorBytes || len(text) != base64.RawURLEncoding.EncodedLen(cursorBytes) {
		return c, false
	}
	return session.Cursor{Epoch: binary.BigEndian.Uint64(raw), Number: binary.BigEndian.Uint64(raw[8:])}, true
}
