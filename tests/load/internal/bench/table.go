package bench

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/sojournhq/sojourn/tests/load/internal/deploy"
	"github.com/sojournhq/sojourn/tests/load/internal/limits"
)

// figure is one column of the table.
type figure struct {
	title  string
	step   string
	of     func(*Row) float64
	format string
}

var figures = []figure{
	{"64: calls/s", Single64, perSecond, "%.0f"},
	{"256: calls/s", Single256, perSecond, "%.0f"},
	{"p99 ms", Single256, p99, "%.1f"},
	{"per CPU-s", Single256, perCPUSecond, "%.0f"},
	{"batch: calls/s", Batch, perSecond, "%.0f"},
	{"per CPU-s", Batch, perCPUSecond, "%.0f"},
	{"1: p50 ms", Single1, p50, "%.2f"},
	{"half load: p99 ms", Half, p99, "%.1f"},
	{"memory MiB", Batch, memory, "%.0f"},
	{"bytes a call", Batch, diskPerCall, "%.0f"},
}

func perSecond(r *Row) float64    { return r.PerSecond }
func perCPUSecond(r *Row) float64 { return r.PerCPUSecond }
func p50(r *Row) float64          { return r.Latency.P50 }
func p99(r *Row) float64          { return r.Latency.P99 }
func memory(r *Row) float64       { return float64(r.Measurement.Server.AnonBytes) / (1 << 20) }
func diskPerCall(r *Row) float64  { return float64(r.FileBytes) / float64(r.Next) }

// values are what a figure was in the rounds, in order of size.
func (r *Report) values(kind deploy.Kind, f figure) []float64 {
	var all []float64
	for i := range r.Rows {
		if row := &r.Rows[i]; row.Server == kind && row.Step == f.step {
			all = append(all, f.of(row))
		}
	}
	slices.Sort(all)
	return all
}

// median is the middle of the rounds, and whether there was one.
func (r *Report) median(kind deploy.Kind, f figure) (float64, bool) {
	all := r.values(kind, f)
	if len(all) == 0 {
		return 0, false
	}
	return all[len(all)/2], true
}

// Print prints the medians of all rounds, how far the rounds were apart, and the ratios.
func (r *Report) Print(to io.Writer) error {
	t := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(title string, cell func(figure) string) {
		_, _ = fmt.Fprintf(t, "%s\t", title) // Flush tells of a failure
		for _, f := range figures {
			_, _ = fmt.Fprintf(t, "%s\t", cell(f))
		}
		_, _ = fmt.Fprintln(t)
	}
	line("", func(f figure) string { return f.title })
	for _, kind := range kinds {
		line(title(kind), func(f figure) string { return r.cell(kind, f) })
	}
	for _, kind := range kinds {
		line("spread of "+title(kind), func(f figure) string { return r.spread(kind, f) })
	}
	for _, ratio := range [][2]deploy.Kind{
		{deploy.Standalone, limits.JSON}, {deploy.Standalone, limits.Discard}, {deploy.FourProcesses, deploy.Standalone},
	} {
		line(title(ratio[0])+" / "+title(ratio[1]), func(f figure) string { return r.ratio(ratio[0], ratio[1], f) })
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(to, "\nMedians of %d rounds of %.0f s a step, on %d CPUs (%s, Linux %s, %s), fsync %.2f ms, %s.\n"+
		"%d data directories verified, %d lines of their dumps compared with what was sent; %d requests were refused and sent again.\n",
		r.Rounds, r.Seconds, r.Machine.CPUs, r.Machine.Model, r.Machine.Kernel, r.Machine.Go, r.Machine.FsyncMS,
		r.Machine.Time.Format("2006-01-02 15:04"), r.Verified, r.Lines, r.Repeated)
	return err
}

func title(kind deploy.Kind) string {
	switch kind {
	case limits.JSON, limits.Discard:
		return "limit: " + string(kind)
	default:
		return string(kind)
	}
}

// stores says whether what is on disk means anything.
func stores(kind deploy.Kind) bool { return kind == deploy.Standalone || kind == deploy.FourProcesses }

func (r *Report) cell(kind deploy.Kind, f figure) string {
	value, there := r.median(kind, f)
	if !there || f.title == "bytes a call" && !stores(kind) {
		return "–"
	}
	return fmt.Sprintf(f.format, value)
}

func (r *Report) spread(kind deploy.Kind, f figure) string {
	all := r.values(kind, f)
	if len(all) < 2 || all[0] == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f %%", 100*(all[len(all)-1]-all[0])/all[len(all)/2])
}

func (r *Report) ratio(kind, other deploy.Kind, f figure) string {
	a, have := r.median(kind, f)
	b, haveOther := r.median(other, f)
	if !have || !haveOther || b == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", a/b)
}
