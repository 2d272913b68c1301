package installation_test

import (
	"context"
	"net"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// dialer connects to whatever serves a store now.
func (s *services) dialer(i int) grpc.DialOption {
	return grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
		s.mu.Lock()
		pipe := s.pipes[i]
		s.mu.Unlock()
		return pipe.DialContext(ctx)
	})
}
