package reliability_test

import (
	"cmp"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/tests/reliability/proxy"
)

// network is what lies between the gateway and the services, and can be made bad for one of them.
type network interface {
	// connect is called once the services are started, and before the gateway is.
	connect(d *deployment)
	// set makes the network to a service bad, or good again.
	set(service string, f proxy.Fault)
	// resets is how many connections or packets were answered with a reset, since it was made resetting the last time.
	resets(service string) int
}

// proxies is a network that needs no privileges: a proxy before each service.
type proxies map[string]*proxy.Proxy

func (n proxies) connect(d *deployment) {
	for _, service := range daemons[:3] {
		p, err := proxy.New(d.address[service])
		if err != nil {
			d.t.Fatal(err)
		}
		d.t.Cleanup(func() { _ = p.Close() })
		n[service], d.via[service] = p, p.Address()
	}
}

func (n proxies) set(service string, f proxy.Fault) { n[service].Set(f) }
func (n proxies) resets(service string) int         { return n[service].Resets() }

// namespaces is a network of the kernel's: each service is in a network namespace of its own, at the other end of a pair of devices.
type namespaces struct {
	t    *testing.T
	name map[string]string
	hit  map[string]int // packets that were reset
}

// newNamespaces makes the namespaces, and says in which a deployment's services are to run. It skips the test where that cannot be.
func newNamespaces(t *testing.T, d *deployment) *namespaces {
	t.Helper()
	n := &namespaces{t: t, name: map[string]string{}, hit: map[string]int{}}
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED rel-net in namespaces: it needs root")
	}
	for _, tool := range []string{"ip", "tc", "iptables"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("SKIPPED rel-net in namespaces: there is no %s", tool)
		}
	}
	n.must("ip link set lo up")
	for i, service := range daemons[:3] {
		name := fmt.Sprintf("rel-%d-%d", os.Getpid(), i)
		ours, theirs := netip.AddrFrom4([4]byte{10, 77, byte(i), 1}), netip.AddrFrom4([4]byte{10, 77, byte(i), 2})
		n.must("ip netns add " + name)
		t.Cleanup(func() { n.must("ip netns del " + name) })
		n.must(fmt.Sprintf("ip link add out%d type veth peer name in%d netns %s", i, i, name))
		n.must(fmt.Sprintf("ip address add %s/30 dev out%d", ours, i))
		n.must(fmt.Sprintf("ip link set out%d up", i))
		n.must(fmt.Sprintf("ip -n %s address add %s/30 dev in%d", name, theirs, i))
		n.must(fmt.Sprintf("ip -n %s link set in%d up", name, i))
		n.must(fmt.Sprintf("ip -n %s link set lo up", name))
		n.name[service], d.into[service], d.address[service] = name, name, theirs.String()+":0"
	}
	return n
}

func (*namespaces) connect(*deployment) {}

// set makes rules for what a service's namespace takes in and lets out.
func (n *namespaces) set(service string, f proxy.Fault) {
	in := "ip netns exec " + n.name[service] + " "
	device := " dev in" + n.name[service][strings.LastIndex(n.name[service], "-")+1:] + " "
	switch f {
	case proxy.Partitioned:
		n.must(in + "iptables -A INPUT -j DROP")
		n.must(in + "iptables -A OUTPUT -j DROP")
	case proxy.Slowed:
		n.must(in + "tc qdisc add" + device + "root tbf rate 24kbit burst 2kb latency 3s")
	case proxy.Resetting:
		n.must(in + "iptables -A INPUT -p tcp -m statistic --mode random --probability 0.3 -j REJECT --reject-with tcp-reset")
	default:
		n.count(service, in)
		n.must(in + "iptables -F")
		_ = exec.Command("sh", "-c", in+"tc qdisc del"+device+"root").Run() // there is none unless it was slowed
	}
}

func (n *namespaces) resets(service string) int { return n.hit[service] }

// count reads how many packets the rule that resets has met.
func (n *namespaces) count(service, in string) {
	words := strings.Fields(in + "iptables -L INPUT -v -x -n")
	out, err := exec.Command(words[0], words[1:]...).Output()
	if err != nil {
		n.t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); strings.Contains(line, "REJECT") {
			n.hit[service], _ = strconv.Atoi(fields[0])
		}
	}
}

func (n *namespaces) must(command string) {
	n.t.Helper()
	words := strings.Fields(command)
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		n.t.Fatalf("%s: %v: %s", command, err, cmp.Or(strings.TrimSpace(string(out)), "it says nothing"))
	}
}
