package reliability_test

import (
	"flag"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/tests/reliability/proxy"
	"github.com/sojournhq/sojourn/tests/reliability/sender"
)

var (
	inNamespaces = flag.Bool("namespaces", false, "let the kernel do it, each service in a network namespace of its own, and not proxies")
	netFaults    = flag.Int("faults", 5, "how many faults hit; 15 are all, of all services")
	netFor       = flag.Duration("fault-for", 1200*time.Millisecond, "how long each of them lasts")
)

// healedWithin is how soon after a fault everything must be there.
const healedWithin = 10 * time.Second

// trouble is something that befalls a service, until it is healed.
type trouble struct {
	name        string
	begin, heal func(service string)
	slow        time.Duration // some answer takes at least this long, or is none of 200; 0: something is reset
}

// TestABadNetworkToOneServiceDelaysAndChangesNothing lets each service in turn be killed, stopped, cut off, slow and resetting, while clients send.
func TestABadNetworkToOneServiceDelaysAndChangesNothing(t *testing.T) {
	s := seed(t)
	random := rand.New(rand.NewPCG(s, 4))
	d := deploy(t, daemons)
	var n network = proxies{}
	if *inNamespaces {
		n = newNamespaces(t, d)
	}
	for _, service := range daemons[:3] {
		d.up(service)
	}
	n.connect(d)
	d.start()
	l := newLoad(t, d, s, 20)
	l.pause = 10 * time.Millisecond
	troubles := d.troubles(n)
	for i, at := range random.Perm(15)[:*netFaults] {
		// Each five in a row are of five kinds, and three in a row of three services.
		what, service := troubles[i%len(troubles)], daemons[(i+at)%3]
		if *netFaults == 15 {
			service = daemons[i/5]
		}
		endure(t, d, n, l, what, service)
	}
	l.report(*netFaults * 100)
	if none := l.client.Seen().Answers["none"]; none > 0 {
		t.Errorf("%d attempts were not answered", none)
	}
	dump := d.dump()
	d.expectTold(dump)
	d.proveSound(dump)
}

// troubles are all that can befall a service.
func (d *deployment) troubles(n network) []trouble {
	signal := func(s syscall.Signal) func(string) {
		return func(service string) {
			if err := d.running[service].Signal(s); err != nil {
				d.t.Fatal(err)
			}
		}
	}
	network := func(f proxy.Fault) func(string) { return func(service string) { n.set(service, f) } }
	return []trouble{
		{"killed", d.down, d.up, *netFor / 2},
		{"stopped", signal(syscall.SIGSTOP), signal(syscall.SIGCONT), *netFor / 2},
		{"partitioned", network(proxy.Partitioned), network(proxy.None), *netFor / 2},
		{"slowed", network(proxy.Slowed), network(proxy.None), 100 * time.Millisecond},
		{"resetting", network(proxy.Resetting), network(proxy.None), 0},
	}
}

// endure lets a trouble befall a service under load, and fails unless every answer comes in time and everything is there soon after.
func endure(t *testing.T, d *deployment, n network, l *load, what trouble, service string) {
	t.Helper()
	l.start()
	time.Sleep(300 * time.Millisecond)
	l.client.Slowest()
	before := l.client.Seen()
	what.begin(service)
	time.Sleep(*netFor)
	what.heal(service)
	healed := time.Now()
	l.end()
	delivered := time.Since(healed)
	expect(t, d.dump(), l.calls())
	whole := time.Since(healed)
	slowest, refused := l.client.Slowest(), l.client.Seen().Answers["503"]-before.Answers["503"]
	t.Logf("%s %s: the slowest answer took %v, %d were 503; everything was delivered %v after healing, and compared %v after",
		service, what.name, slowest.Round(time.Millisecond), refused, delivered.Round(time.Millisecond), whole.Round(time.Millisecond))
	if slowest > sender.Limit {
		t.Errorf("an answer took %v, want at most %v", slowest, sender.Limit)
	}
	if refused == 0 && slowest < what.slow || what.slow == 0 && n.resets(service) == 0 {
		t.Errorf("%s %s: it hit nobody", service, what.name)
	}
	if whole > healedWithin {
		t.Errorf("everything was there %v after healing, want %v", whole, healedWithin)
	}
}
