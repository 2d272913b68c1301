package rpc

import (
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/kit/streams"
)

var errShare = status.Error(codes.ResourceExhausted, "too many streams of the workspace at once, try again later")

// sharing ends every stream whose workspace has more than its share of the places with RESOURCE_EXHAUSTED. A gateway knows only its own
// streams, so where there are several, only the service can see to it.
func sharing(places int) grpc.StreamServerInterceptor {
	shared := &shares{free: places, held: map[string]int{}}
	return func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
		mine := &sharingStream{ServerStream: stream, shared: shared}
		defer mine.giveBack()
		return handle(srv, mine)
	}
}

// sharingStream is a stream that takes of the share of its workspace, which its request says.
type sharingStream struct {
	grpc.ServerStream

	shared    *shares
	workspace string // whose share it has taken of; empty: of none
}

// RecvMsg implements grpc.ServerStream.
func (s *sharingStream) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	r, ok := m.(interface{ GetWorkspace() string })
	if !ok || r.GetWorkspace() == "" || s.workspace != "" {
		return nil
	}
	if !s.shared.take(r.GetWorkspace()) {
		return errShare
	}
	s.workspace = r.GetWorkspace()
	return nil
}

func (s *sharingStream) giveBack() {
	if s.workspace != "" {
		s.shared.put(s.workspace)
	}
}

// shares are the places of streams that workspaces have taken.
type shares struct {
	mu   sync.Mutex
	free int
	held map[string]int
}

func (s *shares) take(workspace string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !streams.Share(s.held[workspace], s.free) {
		return false
	}
	s.free--
	s.held[workspace]++
	return true
}

func (s *shares) put(workspace string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free++
	if s.held[workspace]--; s.held[workspace] == 0 {
		delete(s.held, workspace)
	}
}
