package query_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/sojournhq/sojourn/internal/kit/rpc"
)

// asked is what a service was asked last, and how long it had left.
type asked struct {
	method  string
	request proto.Message
	left    time.Duration
}

// anything is a gRPC server that answers every method of the query services with an empty response.
type anything struct {
	conn  *grpc.ClientConn
	think time.Duration // before each answer; set it before the first question
	newer bool          // whether each answer has a field that nobody else knows; set it before the first question

	mu   sync.Mutex
	last asked
	fail error
}

func newAnything(t *testing.T) *anything {
	t.Helper()
	a := &anything{}
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error { return a.answer(stream) }))
	pipe := rpc.NewPipe()
	conn, err := pipe.Dial()
	if err != nil {
		t.Fatal(err)
	}
	a.conn = conn
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(pipe) // it ends with the test
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		server.Stop()
		<-served
	})
	return a
}

func (a *anything) answer(stream grpc.ServerStream) error {
	name, _ := grpc.MethodFromServerStream(stream)
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(
		protoreflect.FullName(strings.ReplaceAll(strings.TrimPrefix(name, "/"), "/", ".")))
	if err != nil {
		return err
	}
	method := found.(protoreflect.MethodDescriptor)
	request, err := newMessage(method.Input())
	if err != nil {
		return err
	}
	response, err := newMessage(method.Output())
	if err != nil {
		return err
	}
	if err := stream.RecvMsg(request); err != nil {
		return err
	}
	time.Sleep(a.think)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last = asked{method: name, request: request}
	if deadline, ok := stream.Context().Deadline(); ok {
		a.last.left = time.Until(deadline)
	}
	if a.fail != nil {
		return a.fail
	}
	if a.newer {
		response.ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 9999, protowire.VarintType), 1))
	}
	return stream.SendMsg(response)
}

func newMessage(d protoreflect.MessageDescriptor) (proto.Message, error) {
	t, err := protoregistry.GlobalTypes.FindMessageByName(d.FullName())
	if err != nil {
		return nil, err
	}
	return t.New().Interface(), nil
}

func (a *anything) asked() asked {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last
}

func (a *anything) failWith(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fail = err
}
