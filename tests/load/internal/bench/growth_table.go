package bench

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/sojournhq/sojourn/tests/load/internal/measure"
)

// Print prints what a full store costs.
func (g *Growth) Print(to io.Writer) error {
	t := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	line := func(name, format string, values ...any) {
		_, _ = fmt.Fprintf(t, name+"\t"+format+"\n", values...) // Flush tells of a failure
	}
	for _, m := range g.Fill {
		line("filled", "%d calls\t%.0f/s\tmemory %d MiB\tmapped files %d MiB\t%.0f bytes a call", m.Next, m.PerSecond,
			m.Server.AnonBytes>>20, (m.Server.RSSBytes-m.Server.AnonBytes)>>20, float64(m.FileBytes)/float64(m.Next))
	}
	compare := func(name string, empty, full *measure.Measurement) {
		if empty.PerSecond > 0 {
			line(name, "empty %.0f/s\tfull %.0f/s\tratio %.2f\tp99 %.1f and %.1f ms", empty.PerSecond, full.PerSecond,
				full.PerSecond/empty.PerSecond, empty.Latency.P99, full.Latency.P99)
		}
	}
	compare("batches of 100, 8 connections", &g.Empty, &g.Full)
	compare("single calls, 256 connections", &g.EmptySingle, &g.FullSingle)
	if g.Full.Next > 0 {
		line("full", "memory %d MiB\tmost resident, with mapped files, %d MiB\t%.0f bytes on disk a call", g.FullSingle.Server.AnonBytes>>20,
			g.FullSingle.Server.PeakBytes>>20, float64(g.FullSingle.FileBytes)/float64(g.FullSingle.Next))
	}
	if n := len(g.Reports); n > 0 {
		line("90-day usage report at half load", "p50 %.1f ms\tp99 %.1f ms\tof %d; calls: p99 %.1f ms at %.0f/s", g.Reports[n/2],
			g.Reports[n*99/100], n, g.Half.Latency.P99, g.Half.PerSecond)
	}
	line("ready after kill -9", "%v ms", g.ReadyMS)
	line("reports equal to what was sent", "%d", g.Checked)
	line("files sound", "%t", g.Verified)
	line("machine", "%d CPUs (%s)\tLinux %s\t%s\tfsync %.2f ms\t%s", g.Machine.CPUs, g.Machine.Model, g.Machine.Kernel, g.Machine.Go,
		g.Machine.FsyncMS, g.Machine.Time.Format("2006-01-02 15:04"))
	return t.Flush()
}
