// Package limit decides what a gateway takes on, so that it refuses early what it could not answer in time, its memory does not grow with
// what arrives, and no workspace can use up what another needs.
//
// A request passes in three steps. Before its body is read it takes a place among the requests under way; while the body is read, memory
// for it; and before it is parsed and stored, room for work, of which there is as much as the machine and the services turn out to do in
// time (see work). Each of the three is a pool that workspaces share: however much one asks for, a part stays free for the others (see
// share). Who sent a request whose key stands in its body is not known until that has been read, and until then its network address stands
// for its workspace.
// Questions, and answers that go on, have pools of their own, so that those who ask and those who send do not get into each other's way.
// Apart from this, every source has the limits that its configuration gives it. All of it is kept in this process: two gateways allow twice
// as much.
package limit

import (
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// maxWait is how long a request may wait for room for work, and a question for its place. It is a small part of the
	// deadline.
	maxWait = 500 * time.Millisecond
	// streams is how many answers may go on until their reader leaves. It is no more than the sessions service has room for.
	streams = 1024
)

// Limits are those of one gateway. Use New.
type Limits struct {
	requests, bytes    *pool[tenant]
	work               *work
	questions, streams *pool[tenant]
	connections        *Connections
	metrics            metrics

	mu      sync.Mutex
	sources map[sourceKey]*source
}

// tenant is who shares a pool with others: a workspace, or, while that is not known, a network address.
type tenant struct{ workspace, address string }

// New returns limits whose metrics are registered with to. It fails when those of another are there already.
func New(c Config, to prometheus.Registerer) (*Limits, error) {
	c = c.withDefaults()
	l := &Limits{
		requests:  newPool[tenant](int64(c.Requests), 0),
		bytes:     newPool[tenant](int64(c.BodyBytes), 0),
		work:      newWork(int64(c.WorkBytes)),
		questions: newPool[tenant](int64(c.Questions), maxWait),
		streams:   newPool[tenant](streams, 0),
		metrics:   newMetrics(),
		sources:   map[sourceKey]*source{},
	}
	l.connections = newConnections(c.Connections, l.metrics.refuse)
	if err := l.register(to); err != nil {
		return nil, fmt.Errorf("register limit metrics: %w", err)
	}
	return l, nil
}

// Connections returns the limit of open connections.
func (l *Limits) Connections() *Connections { return l.connections }
