package standalone_test

import (
	"net/http"
	"os"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// noting is a registry that knows the names of all that was ever registered with it, whether there is a value or not.
type noting struct {
	prometheus.Registerer

	mu    sync.Mutex // services are opened at the same time
	names []string
}

var nameOf = regexp.MustCompile(`fqName: "([^"]+)"`)

// Register implements prometheus.Registerer.
func (n *noting) Register(c prometheus.Collector) error {
	all := make(chan *prometheus.Desc, 100)
	go func() { c.Describe(all); close(all) }()
	n.mu.Lock()
	defer n.mu.Unlock()
	for desc := range all {
		n.names = append(n.names, nameOf.FindStringSubmatch(desc.String())[1])
	}
	return n.Registerer.Register(c)
}

var row = regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (counter|gauge|histogram) \\| ([^|]*) \\| [^|]+ \\|$")

// documented returns type and labels of each metric in the table.
func documented(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		found[m[1]] = m[2] + " " + strings.TrimSpace(m[3])
	}
	if lines := strings.Count(string(text), "\n| `"); lines != len(found) {
		t.Errorf("docs/metrics.md has %d rows, of which %d are as they should be", lines, len(found))
	}
	return found
}

// TestTheTableOfMetricsIsWhatIsRegistered holds docs/metrics.md against everything that a Sojourn registers and shows after some use.
func TestTheTableOfMetricsIsWhatIsRegistered(t *testing.T) {
	s, _ := watched(t)
	s.post(t, "/v1/track", secretCall, sender())
	limited := http.Header{}
	limited.Set("X-Write-Key", limitedKey)
	s.post(t, "/v1/track", secretCall, limited)
	s.postFor(t, http.StatusTooManyRequests, "/v1/track", secretCall, limited)
	s.post(t, "/sojourn.events.v1.QueryService/ListEvents", `{}`, asker())
	want := documented(t)

	slices.Sort(s.noted.names)
	names := make([]string, 0, len(want))
	for name := range want {
		names = append(names, name)
	}
	sort.Strings(names)
	if diff := cmp.Diff(names, slices.Compact(s.noted.names)); diff != "" {
		t.Errorf("names (-documented +registered):\n%s", diff)
	}
	families, err := s.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range families {
		got[f.GetName()] = strings.ToLower(f.GetType().String()) + " " + labelsOf(f)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("type and labels (-documented +shown):\n%s", diff)
	}
}

// labelsOf returns the labels of a metric but `component`, which all have.
func labelsOf(f *dto.MetricFamily) string {
	var labels []string
	for _, l := range f.GetMetric()[0].GetLabel() {
		if l.GetName() != "component" {
			labels = append(labels, "`"+l.GetName()+"`")
		}
	}
	return strings.Join(labels, ", ")
}
