package gateway

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/gateway/internal/fanout"
)

// refusing is a connection over which nothing can be asked for.
type refusing struct{}

var errRefusing = status.Error(codes.Unavailable, "calls are refused for now (-refuse-calls)")

// Invoke implements grpc.ClientConnInterface.
func (refusing) Invoke(context.Context, string, any, any, ...grpc.CallOption) error {
	return errRefusing
}

// NewStream implements grpc.ClientConnInterface.
func (refusing) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, errRefusing
}

// fanoutOf returns what calls are handed to: the services, or with RefuseCalls what refuses every call as if they were away.
func fanoutOf(c *Config, b Backends) *fanout.Fanout {
	if c.RefuseCalls {
		return fanout.New(refusing{}, refusing{}, refusing{})
	}
	return fanout.New(b.Identity, b.Events, b.Sessions)
}
