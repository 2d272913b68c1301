package grpcapi

import (
	"context"
	"encoding/base64"

	"github.com/sojournhq/sojourn/internal/domain/callproto"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// GetSession implements sessionsv1.QueryServiceServer.
func (a *API) GetSession(ctx context.Context, r *sessionsv1.GetSessionRequest) (*sessionsv1.GetSessionResponse, error) {
	if r.GetWorkspace() == "" {
		return nil, toStatus(callproto.ErrNoWorkspace)
	}
	id, ok := parseID(r.GetId())
	if !ok {
		return nil, invalid("id is not one of a session")
	}
	view, err := a.store.Session(ctx, r.GetWorkspace(), id, a.now().UnixMilli())
	if err != nil {
		return nil, toStatus(err)
	}
	return &sessionsv1.GetSessionResponse{Session: toProto(&view)}, nil
}

// formatID makes an id text, which clients hand back and do not take apart.
func formatID(id session.ID) string { return base64.RawURLEncoding.EncodeToString(id.Bytes()) }

func parseID(text string) (id session.ID, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || base64.RawURLEncoding.EncodedLen(len(raw)) != len(text) { // the decoder skips the ends of lines
		return id, false
	}
	return session.ParseID(raw)
}
