// Package bench measures Sojourn beside the servers of package limits: in rounds, each server once in each, so that what else the machine does
// meets all of them alike. After every round it proves that what Sojourn holds is what it was sent.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/sojournhq/sojourn/tests/load/internal/deploy"
	"github.com/sojournhq/sojourn/tests/load/internal/drive"
	"github.com/sojournhq/sojourn/tests/load/internal/expect"
	"github.com/sojournhq/sojourn/tests/load/internal/limits"
	"github.com/sojournhq/sojourn/tests/load/internal/measure"
	"github.com/sojournhq/sojourn/tests/load/internal/traffic"
)

// Config is how to measure.
type Config struct {
	Programs deploy.Programs
	// Dir is where data directories and logs are made. They are removed again, but for those of a round that failed.
	Dir    string
	Mix    traffic.Config
	Rounds int
	// Each step is measured for Duration, after Warmup.
	Duration, Warmup time.Duration
	// Sample is of how many accounts the state is compared with what was sent.
	Sample int
	// Progress is where a line tells what is under way.
	Progress io.Writer
}

// The steps, in the order in which they run. The open loop runs at half of what the step before it reached.
const (
	Single1   = "single, 1"
	Single64  = "single, 64"
	Single256 = "single, 256"
	Half      = "half load"
	Batch     = "batch of 100, 8"
)

type step struct {
	name               string
	connections, batch int
}

var steps = map[deploy.Kind][]step{
	limits.JSON:          {{Single1, 1, 0}, {Single64, 64, 0}, {Single256, 256, 0}, {Batch, 8, 100}},
	limits.Discard:       {{Single1, 1, 0}, {Single64, 64, 0}, {Single256, 256, 0}},
	deploy.Standalone:    {{Single1, 1, 0}, {Single64, 64, 0}, {Single256, 256, 0}, {Half, 256, 0}, {Batch, 8, 100}},
	deploy.FourProcesses: {{Single1, 1, 0}, {Single64, 64, 0}, {Single256, 256, 0}, {Batch, 8, 100}},
}

var kinds = []deploy.Kind{limits.Discard, limits.JSON, deploy.Standalone, deploy.FourProcesses}

// Row is one step of one server in one round.
type Row struct {
	Round  int         `json:"round"`
	Server deploy.Kind `json:"server"`
	Step   string      `json:"step"`

	measure.Measurement
}

// Report is everything that was measured.
type Report struct {
	Machine Machine        `json:"machine"`
	Mix     traffic.Config `json:"mix"`
	Rounds  int            `json:"rounds"`
	Seconds float64        `json:"seconds"`
	Rows    []Row          `json:"rows"`
	// Verified is how many data directories were proved sound and equal to what was sent in Lines lines of their dumps.
	Verified int `json:"verified"`
	// Repeated is how many requests were refused for want of room and sent again.
	Repeated uint64 `json:"repeated"`
	Lines    int    `json:"lines"`
}

// Run measures everything. An error says that something could not be measured, or that a state was wrong; the report then holds what was
// measured until then.
func Run(ctx context.Context, c Config) (*Report, error) {
	machine, err := Look(c.Dir)
	r := &Report{Machine: machine, Mix: c.Mix, Rounds: c.Rounds, Seconds: c.Duration.Seconds()}
	for round := range c.Rounds {
		for i := range kinds {
			if err == nil {
				err = c.server(ctx, r, round, kinds[(i+round)%len(kinds)]) // each begins a round in turn
			}
		}
	}
	return r, err
}

// server measures one server from its start to its end.
func (c *Config) server(ctx context.Context, r *Report, round int, kind deploy.Kind) (err error) {
	dir, err := os.MkdirTemp(c.Dir, "round-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("round %d of %s: %w (see %s)", round+1, kind, err, dir)
			return
		}
		err = os.RemoveAll(dir)
	}()
	data := filepath.Join(dir, "data")
	d, err := c.Programs.Start(ctx, kind, data, dir)
	if err != nil {
		return err
	}
	defer d.Kill()
	sent, err := c.steps(ctx, r, round, kind, d)
	if err := errors.Join(err, d.Stop()); err != nil || d.Dir == "" {
		return err
	}
	c.say("round %d of %d, %s: verify %d calls", round+1, c.Rounds, kind, sent)
	if err := c.Programs.Verify(ctx, data); err != nil {
		return err
	}
	lines, err := c.Programs.Compare(ctx, data, expect.After(traffic.New(c.Mix), sent, c.Mix.Accounts, c.Sample))
	r.Lines += lines
	r.Verified++
	return err
}

// steps runs the steps of a server, and returns how many calls of the stream it was sent.
func (c *Config) steps(ctx context.Context, r *Report, round int, kind deploy.Kind, d *deploy.Deployment) (sent uint64, err error) {
	stream := traffic.New(c.Mix)
	last := 0.0
	for _, s := range steps[kind] {
		config := drive.Config{
			Address: d.Address, WriteKey: deploy.WriteKey, Connections: s.connections, Batch: s.batch, Retry: true,
			First: sent, Duration: c.Duration, Warmup: c.Warmup,
			Progress: func(_ uint64, rate float64) {
				c.say("round %d of %d, %s, %s: %.0f calls/s", round+1, c.Rounds, kind, s.name, rate)
			},
		}
		if s.name == Half {
			config.Rate = last / 2
		}
		m, err := measure.Run(ctx, stream, config, d.Server())
		if err != nil {
			return sent, fmt.Errorf("%s: %w", s.name, err)
		}
		r.Rows = append(r.Rows, Row{round + 1, kind, s.name, m})
		if err := errors.Join(m.Complete(), ctx.Err()); err != nil {
			return sent, fmt.Errorf("%s: %w", s.name, err)
		}
		r.Repeated += m.Repeated
		sent, last = m.Next, m.PerSecond
	}
	return sent, nil
}

func (c *Config) say(format string, args ...any) {
	_, _ = fmt.Fprintf(c.Progress, "\r\x1b[K"+format, args...) // a progress line is a help, no result
}
