package rpc_test

import (
	"bytes"
	"context"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/sojournhq/sojourn/internal/kit/rpc"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
)

// watched answers the methods of a service made for these tests: one stream, and one call that is answered at once.
type watched func(stream grpc.ServerStream) error

func (w watched) register(r grpc.ServiceRegistrar) {
	handler(func(context.Context) error { return nil }).register(r)
	r.RegisterService(&grpc.ServiceDesc{
		ServiceName: "test.Stream",
		HandlerType: (*any)(nil),
		Streams: []grpc.StreamDesc{{
			StreamName: "Watch", ServerStreams: true, Handler: func(_ any, stream grpc.ServerStream) error { return w(stream) },
		}},
	}, w)
}

// untilItEnds is a stream on which nothing ever happens.
func untilItEnds(stream grpc.ServerStream) error {
	<-stream.Context().Done()
	return stream.Context().Err()
}

func watch(ctx context.Context, conn grpc.ClientConnInterface) (grpc.ClientStream, error) {
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/test.Stream/Watch")
	if err != nil {
		return nil, err
	}
	if err := stream.SendMsg(&emptypb.Empty{}); err != nil {
		return nil, err
	}
	return stream, stream.CloseSend()
}

// open waits until the server has taken the stream.
func open(t *testing.T, conn grpc.ClientConnInterface) grpc.ClientStream {
	t.Helper()
	stream, err := watch(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Header(); err != nil {
		t.Fatal(err)
	}
	return stream
}

func TestStoppingEndsTheStreamsThatWouldNotEnd(t *testing.T) {
	var log bytes.Buffer
	taken := 0
	conn, stop := serve(t, &log, watched(func(stream grpc.ServerStream) error {
		taken++
		return untilItEnds(stream)
	}))
	stream := open(t, conn)
	stop() // returns, although draining is never given up
	err := stream.RecvMsg(&emptypb.Empty{})
	if status.Code(err) != codes.Unavailable || status.Convert(err).Message() != "the server is stopping, go on from where the stream ended" {
		t.Errorf("the stream ended with %v", err)
	}
	if taken != 1 {
		t.Errorf("it was tried %d times", taken)
	}
}

func TestAStreamThatIsOpenIsNotTriedAgain(t *testing.T) {
	for name, messages := range map[string]int{"and has told something": 1, "and has told nothing": 0} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			taken := 0
			conn, stop := serve(t, &log, watched(func(stream grpc.ServerStream) error {
				taken++
				for range messages {
					if err := stream.SendMsg(&emptypb.Empty{}); err != nil {
						return err
					}
				}
				return status.Error(codes.Unavailable, "not now")
			}))
			defer stop()
			stream := open(t, conn)
			for range messages {
				if err := stream.RecvMsg(&emptypb.Empty{}); err != nil {
					t.Fatal(err)
				}
			}
			if err := stream.RecvMsg(&emptypb.Empty{}); status.Code(err) != codes.Unavailable || taken != 1 {
				t.Errorf("%v after %d tries", err, taken)
			}
		})
	}
}

func TestOtherErrorsOfAStreamPassEvenIfTheServerStops(t *testing.T) {
	var log bytes.Buffer
	conn, stop := serve(t, &log, watched(func(stream grpc.ServerStream) error {
		<-stream.Context().Done()
		return status.Error(codes.OutOfRange, "no such place")
	}))
	stream := open(t, conn)
	stop()
	if err := stream.RecvMsg(&emptypb.Empty{}); status.Code(err) != codes.OutOfRange {
		t.Errorf("the stream ended with %v", err)
	}
}

func TestAClientThatLeavesEndsItsStream(t *testing.T) {
	var log bytes.Buffer
	ended := make(chan error, 1)
	conn, stop := serve(t, &log, watched(func(stream grpc.ServerStream) error {
		ended <- untilItEnds(stream)
		return nil
	}))
	defer stop()
	ctx, leave := context.WithCancel(t.Context())
	stream, err := watch(ctx, conn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Header(); err != nil {
		t.Fatal(err)
	}
	leave()
	if err := <-ended; err == nil {
		t.Error("it ended without a reason")
	}
}

func TestStreamsAreLimitedAndTakeNoPlacesFromCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // for the retries of the one too many
		const places = 1024
		var log bytes.Buffer
		conn, stop := serve(t, &log, watched(untilItEnds))
		defer stop()
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		for range places {
			stream, err := watch(ctx, conn)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := stream.Header(); err != nil {
				t.Fatal(err)
			}
		}
		one, err := watch(t.Context(), conn)
		if err == nil {
			err = one.RecvMsg(&emptypb.Empty{})
		}
		if status.Code(err) != codes.Unavailable {
			t.Errorf("one more: %v", err)
		}
		if err := call(conn); err != nil {
			t.Errorf("a call: %v", err)
		}
		leave()
		synctest.Wait()
		open(t, conn)
	})
}

func TestTheStreamsOfOneWorkspaceLeaveRoomForThoseOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		conn, stop := serve(t, &log, watched(func(stream grpc.ServerStream) error {
			if err := stream.RecvMsg(&sessionsv1.WatchSessionsRequest{}); err != nil {
				return err
			}
			if err := stream.SendMsg(&emptypb.Empty{}); err != nil {
				return err
			}
			return untilItEnds(stream)
		}))
		defer stop()
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		watching := func(workspace string) error {
			stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/test.Stream/Watch")
			if err == nil {
				err = stream.SendMsg(&sessionsv1.WatchSessionsRequest{Workspace: workspace})
			}
			if err == nil {
				err = stream.CloseSend()
			}
			if err == nil {
				err = stream.RecvMsg(&emptypb.Empty{})
			}
			return err
		}
		n := 0
		for ; n < 1024; n++ {
			if err := watching("w"); err != nil {
				if status.Code(err) != codes.ResourceExhausted {
					t.Errorf("one more: %v", err)
				}
				break
			}
		}
		if n != 819 { // four fifths
			t.Errorf("one workspace has %d streams", n)
		}
		if err := watching("other"); err != nil {
			t.Errorf("another workspace: %v", err)
		}
		leave()
		synctest.Wait()
		ctx = t.Context()
		if err := watching("w"); err != nil {
			t.Errorf("after all have left: %v", err)
		}
	})
}

func TestAQuietStreamStaysOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		conn, stop := serve(t, &log, watched(func(stream grpc.ServerStream) error {
			select {
			case <-stream.Context().Done():
				return stream.Context().Err()
			case <-time.After(24 * time.Hour):
				return stream.SendMsg(&emptypb.Empty{})
			}
		}))
		defer stop()
		if err := open(t, conn).RecvMsg(&emptypb.Empty{}); err != nil {
			t.Errorf("after a day: %v", err)
		}
	})
}

func TestAPeerThatIsGoneWithoutAWordIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		ended := make(chan time.Time, 1)
		pipe, stop := serveOnPipe(t, &log, watched(func(stream grpc.ServerStream) error {
			err := untilItEnds(stream)
			ended <- time.Now()
			return err
		}))
		defer stop()
		broken := make(chan struct{})
		conn, err := rpc.Dial("passthrough:///pipe", grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			conn, err := pipe.DialContext(ctx)
			return &cable{Conn: conn, cut: broken, closed: make(chan struct{})}, err
		}))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		stream := open(t, conn)
		synctest.Wait()
		close(broken)
		cut := time.Now()
		if err := stream.RecvMsg(&emptypb.Empty{}); status.Code(err) != codes.Unavailable || time.Since(cut) > 2*time.Minute {
			t.Errorf("the client ended with %v after %v", err, time.Since(cut))
		}
		if took := (<-ended).Sub(cut); took > 2*time.Minute {
			t.Errorf("the server held its end for %v", took)
		}
	})
}

// cable is a connection that can be cut without a word to either side.
type cable struct {
	net.Conn

	cut, closed chan struct{}
	once        sync.Once
}

func (c *cable) Read(into []byte) (int, error) {
	n, err := c.Conn.Read(into)
	select {
	case <-c.cut:
		<-c.closed // what comes is lost
		return 0, net.ErrClosed
	default:
		return n, err
	}
}

func (c *cable) Write(from []byte) (int, error) {
	select {
	case <-c.cut:
		return len(from), nil
	default:
		return c.Conn.Write(from)
	}
}

// Close is noticed by this side alone: the other has nobody left to tell it.
func (c *cable) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}
