package rpc

import (
	"context"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/test/bufconn"
)

// Every RPC of ours is idempotent, so a service that is away for a moment is tried again, within the caller's deadline. That holds for the
// opening of a stream too, but not for one that is open: gRPC tries nothing again once it has headers, so the stream ends with UNAVAILABLE,
// and its reader, who alone knows how far it has come, opens another. Health is not tried again: who asks wants to know what is wrong now.
const serviceConfig = `{
	"loadBalancingConfig": [{"round_robin": {}}],
	"methodConfig": [{
		"name": [{"service": "grpc.health.v1.Health"}]
	}, {
		"name": [{}],
		"retryPolicy": {
			"maxAttempts": 5, "initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2,
			"retryableStatusCodes": ["UNAVAILABLE"]
		}
	}]
}`

// A service that comes back is found within a second or so, however long it was away and whatever address it has now: gRPC's own pauses
// between attempts grow to two minutes, and an attempt at an address where nobody is any more lasts 20 seconds.
func connectParams() grpc.ConnectParams {
	return grpc.ConnectParams{
		Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second},
		MinConnectTimeout: 2 * time.Second,
	}
}

// Dial returns a connection to a gRPC server at target, such as "events:9000". It connects when it is first used.
func Dial(target string, extra ...grpc.DialOption) (*grpc.ClientConn, error) {
	options := append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(serviceConfig),
		grpc.WithConnectParams(connectParams()),
		grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(maxMessageBytes), grpc.MaxCallSendMsgSize(maxMessageBytes),
			// gRPC's own limit of 256 KiB would leave longer messages, in which many requests travel together, with one try.
			grpc.MaxRetryRPCBufferSize(maxMessageBytes),
		),
		grpc.WithChainUnaryInterceptor(sendIDUnary),
		grpc.WithChainStreamInterceptor(sendIDStream),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: pingAfter, Timeout: pingTimeout}),
	}, extra...)
	conn, err := grpc.NewClient(target, options...)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", target, err)
	}
	return conn, nil
}

// Pipe is a listener within the process: servers and clients meet over it with everything but the network.
type Pipe struct{ *bufconn.Listener }

// NewPipe returns a pipe to serve on and to dial.
func NewPipe() Pipe { return Pipe{bufconn.Listen(1 << 20)} }

// Dial returns a connection to the server that serves on the pipe.
func (p Pipe) Dial(extra ...grpc.DialOption) (*grpc.ClientConn, error) {
	return Dial("passthrough:///pipe", append(extra, grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
		return p.DialContext(ctx)
	}))...)
}
