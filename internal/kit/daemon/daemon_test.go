package daemon_test

import (
	"errors"
	"slices"
	"testing"

	"google.golang.org/grpc"

	"github.com/sojournhq/sojourn/internal/kit/daemon"
)

// closing notes that it was closed, and fails.
type closing struct {
	name   string
	closed *[]string
	err    error
}

func (c closing) Register(grpc.ServiceRegistrar) {}

func (c closing) Installation() string { return "" }

func (c closing) Close() error {
	*c.closed = append(*c.closed, c.name)
	return c.err
}

func TestWhatRunsBesideAServiceIsClosedAfterItWhateverFails(t *testing.T) {
	var closed []string
	first, second := errors.New("first"), errors.New("second")
	err := daemon.Beside(closing{"service", &closed, first}, closing{"other", &closed, second}).Close()
	if !slices.Equal(closed, []string{"service", "other"}) || !errors.Is(err, first) || !errors.Is(err, second) {
		t.Errorf("closed %q, error %v", closed, err)
	}
}
