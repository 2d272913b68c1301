package rpc

import (
	"context"
	"runtime/debug"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/sojournhq/sojourn/internal/kit/observe"
)

// Direct returns a connection within the process, of which the named methods reach the server without being written to a wire and read
// from it again; everything else takes wire, which is a connection to the same server. They pass the server's interceptors, end with the
// same statuses and at the same deadlines, and what is unavailable is tried again, over the wire.
//
// What the messages hold is not copied: neither side may change it afterwards, which a service does not and its caller must not.
func (s *Server) Direct(wire grpc.ClientConnInterface, methods ...string) grpc.ClientConnInterface {
	d := direct{ClientConnInterface: wire, server: s, methods: map[string]method{}}
	for _, name := range methods {
		if m, ok := s.methods[name]; ok {
			d.methods[name] = m
		}
	}
	return d
}

// method is what answers a method.
type method struct {
	service any
	handle  func(srv any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error)
}

// RegisterService implements grpc.ServiceRegistrar.
func (s *Server) RegisterService(d *grpc.ServiceDesc, service any) {
	s.Server.RegisterService(d, service)
	for _, m := range d.Methods {
		s.methods["/"+d.ServiceName+"/"+m.MethodName] = method{service, m.Handler}
	}
}

type direct struct {
	grpc.ClientConnInterface

	server  *Server
	methods map[string]method
}

// Invoke implements grpc.ClientConnInterface.
func (d direct) Invoke(ctx context.Context, name string, args, reply any, options ...grpc.CallOption) error {
	m, ok := d.methods[name]
	if !ok || !d.server.directly.begin() {
		return d.ClientConnInterface.Invoke(ctx, name, args, reply, options...)
	}
	err := d.server.call(ctx, m, args.(proto.Message), reply.(proto.Message))
	if status.Code(err) == codes.Unavailable {
		return d.ClientConnInterface.Invoke(ctx, name, args, reply, options...)
	}
	return err
}

// call has a method answer, and waits for that no longer than ctx. It ends what directly.begin began.
func (s *Server) call(ctx context.Context, m method, args, reply proto.Message) error {
	type answer struct {
		message  any
		err      error
		panicked *observe.Panicked
	}
	answered := make(chan answer, 1)
	go func() {
		defer s.directly.end()
		var a answer
		defer func() {
			if p := recover(); p != nil {
				a.panicked = observe.PanickedWith(p, debug.Stack())
			}
			answered <- a
		}()
		a.message, a.err = m.handle(m.service, incoming(ctx), func(in any) error { share(in.(proto.Message), args); return nil }, s.unary)
	}()
	select {
	case a := <-answered:
		if a.panicked != nil { // outside of the interceptors, which end panics of services
			panic(a.panicked)
		}
		if a.err != nil {
			return statusOf(a.err)
		}
		share(reply, a.message.(proto.Message))
		return nil
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
}

// incoming returns the context of a call as the server's side has it: with the request id, and nothing else of what the caller would send.
func incoming(ctx context.Context) context.Context {
	var sent metadata.MD
	if id := observe.RequestID(ctx); id != "" {
		sent = metadata.Pairs(requestIDKey, id)
	}
	return metadata.NewIncomingContext(metadata.NewOutgoingContext(ctx, nil), sent)
}

// statusOf returns the error that a caller gets over a wire.
func statusOf(err error) error {
	if s, ok := status.FromError(err); ok {
		return s.Err()
	}
	return status.FromContextError(err).Err()
}

// share lets one message hold what another of its type does.
func share(to, from proto.Message) {
	m := to.ProtoReflect()
	from.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		m.Set(field, v)
		return true
	})
}

// chain returns interceptors as one, of which the first is outermost.
func chain(all ...grpc.UnaryServerInterceptor) grpc.UnaryServerInterceptor {
	if len(all) == 1 {
		return all[0]
	}
	inner := chain(all[1:]...)
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		return all[0](ctx, req, info, func(ctx context.Context, req any) (any, error) { return inner(ctx, req, info, handle) })
	}
}

// underWay counts calls that are made directly, until none may be any more.
type underWay struct {
	mu      sync.Mutex
	n       int
	stopped bool
	none    chan struct{} // closed when it is stopped and none are left
}

func newUnderWay() *underWay { return &underWay{none: make(chan struct{})} }

// begin counts a call in, or says that it may not be made.
func (u *underWay) begin() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.stopped {
		return false
	}
	u.n++
	return true
}

func (u *underWay) end() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.n--; u.n == 0 && u.stopped {
		close(u.none)
	}
}

// stop lets no more calls begin, and returns what is closed when those that did have ended.
func (u *underWay) stop() <-chan struct{} {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.stopped {
		u.stopped = true
		if u.n == 0 {
			close(u.none)
		}
	}
	return u.none
}
