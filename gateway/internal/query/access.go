package query

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/sojournhq/sojourn/internal/domain/workspace"

	"github.com/sojournhq/sojourn/gateway/internal/keyring"
)

// reader is who asks: an admin, or somebody who reads one workspace.
type reader struct {
	workspace string
	admin     bool
	name      string // of an admin's token, in the log
}

// admission is a reader who was let in, and whether its token is still good.
type admission struct {
	reader

	lasts func() bool
}

// readers knows the readers of now by their tokens, and every other secret by its kind.
type readers struct {
	ring  func() *keyring.Ring[reader]
	kinds func() *keyring.Ring[keyring.Kind]
}

func newReaders(from workspace.Provider) *readers {
	kinds := workspace.Follow(from, keyring.KindsOf)
	return &readers{kinds: kinds, ring: workspace.Follow(from, func(c *workspace.Config) *keyring.Ring[reader] {
		ring := &keyring.Ring[reader]{}
		for _, token := range c.AdminTokens {
			ring.Add(token, reader{admin: true, name: token.Name()})
		}
		for i := range c.Workspaces {
			for _, token := range c.Workspaces[i].QueryTokens {
				ring.Add(token, reader{workspace: c.Workspaces[i].ID})
			}
		}
		return ring
	})}
}

// admissionKey is where admit leaves the admission in the context.
type admissionKey struct{}

// admit lets nobody in without a token, before any message is read.
func (r *readers) admit(ctx context.Context, _ connect.Spec, _ connect.Peer, header http.Header) (context.Context, error) {
	token := bearer(header)
	if token == "" {
		return nil, connect.NewError(connect.CodeUnauthenticated, errors.New("send a query token as authorization: Bearer"))
	}
	who, ok := r.ring().Find(token)
	if !ok {
		return nil, r.refuse(token)
	}
	return context.WithValue(ctx, admissionKey{}, admission{who, func() bool {
		now, ok := r.ring().Find(token)
		return ok && now == who
	}}), nil
}

// bearer returns the token of a request; empty: it has none.
func bearer(header http.Header) string {
	scheme, token, _ := strings.Cut(header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// refuse says why a token that is no reader's is refused.
func (r *readers) refuse(token string) error {
	if kind, known := r.kinds().Find(token); known {
		return connect.NewError(connect.CodePermissionDenied, fmt.Errorf("a %v does not read: send a query token", kind))
	}
	return errUnknownToken()
}

func errUnknownToken() error {
	return connect.NewError(connect.CodeUnauthenticated, errors.New("the query token is unknown"))
}

// admitAdmin lets nobody in but the admin, of those whom admit let in.
func admitAdmin(ctx context.Context, _ connect.Spec, _ connect.Peer, _ http.Header) (context.Context, error) {
	if who, ok := ctx.Value(admissionKey{}).(admission); !ok || !who.admin {
		return nil, errNotAdmin()
	}
	return ctx, nil
}

func errNotAdmin() error {
	return connect.NewError(connect.CodePermissionDenied, errors.New("this needs the admin token"))
}

// authorizer makes sure that a question is about a workspace that its asker may read.
type authorizer struct{ handlerOnly }

// WrapUnary implements connect.Interceptor.
func (authorizer) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		if err := authorize(ctx, req.Any()); err != nil {
			return nil, err
		}
		return next(ctx, req)
	}
}

// WrapStreamingHandler implements connect.Interceptor.
func (authorizer) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		return next(ctx, authorizedConn{conn, ctx})
	}
}

// authorizedConn receives only what may be asked, and sends only as long as it may be.
type authorizedConn struct {
	connect.StreamingHandlerConn

	ctx context.Context //nolint:containedctx // the stream's, for as long as it lasts
}

// Receive implements connect.StreamingHandlerConn.
func (c authorizedConn) Receive(request any) error {
	if err := c.StreamingHandlerConn.Receive(request); err != nil {
		return err
	}
	return authorize(c.ctx, request)
}

// Send implements connect.StreamingHandlerConn. A token may have been taken back since the stream began.
func (c authorizedConn) Send(m any) error {
	if who, ok := c.ctx.Value(admissionKey{}).(admission); !ok || !who.lasts() {
		return errUnknownToken()
	}
	return c.StreamingHandlerConn.Send(m)
}

// authorize enters the workspace of the reader in ctx into a request.
func authorize(ctx context.Context, request any) error {
	who, ok := ctx.Value(admissionKey{}).(admission)
	message, isProto := request.(proto.Message)
	if !ok || !isProto {
		return connect.NewError(connect.CodeInternal, errInternal)
	}
	return who.enter(message.ProtoReflect())
}

// enter puts the reader's workspace into the request, or returns why it may not be asked.
func (r reader) enter(request protoreflect.Message) error {
	field := request.Descriptor().Fields().ByName("workspace")
	if field == nil {
		if r.admin {
			return nil
		}
		return errNotAdmin()
	}
	named := request.Get(field).String()
	switch {
	case r.admin && named == "":
		return connect.NewError(connect.CodeInvalidArgument, errors.New("workspace is required with the admin token"))
	case r.admin:
		return nil
	case named != "" && named != r.workspace:
		return connect.NewError(connect.CodePermissionDenied, errors.New("workspace is not the query token's"))
	}
	request.Set(field, protoreflect.ValueOfString(r.workspace))
	return nil
}
