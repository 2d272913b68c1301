package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/sojournhq/sojourn/tests/load/internal/deploy"
	"github.com/sojournhq/sojourn/tests/load/internal/drive"
	"github.com/sojournhq/sojourn/tests/load/internal/expect"
	"github.com/sojournhq/sojourn/tests/load/internal/measure"
	"github.com/sojournhq/sojourn/tests/load/internal/traffic"
)

// GrowthConfig is how to measure what a full store costs.
type GrowthConfig struct {
	Config

	// Calls is how many fill the store, and Live how many sessions run when it is killed.
	Calls, Live uint64
	// Kills is how often it is killed and started again.
	Kills int
}

// Growth is what a full store costs.
type Growth struct {
	Machine Machine        `json:"machine"`
	Mix     traffic.Config `json:"mix"`
	// Empty and Full are batches against an empty store and against the full one, EmptySingle and FullSingle single calls on 256 connections.
	Empty       measure.Measurement `json:"empty"`
	EmptySingle measure.Measurement `json:"emptySingle"`
	Full        measure.Measurement `json:"full"`
	FullSingle  measure.Measurement `json:"fullSingle"`
	// Fill is the store while it was filled, after each twentieth.
	Fill []measure.Measurement `json:"fill"`
	// Half is single calls at half of what FullSingle reached, while reports were asked for, and Reports how long those took in milliseconds.
	Half    measure.Measurement `json:"half"`
	Reports []float64           `json:"reportsMs"`
	// ReadyMS is how long it took to be ready after each kill, in milliseconds, with so many calls sent in all.
	ReadyMS []float64 `json:"readyMs"`
	Sent    uint64    `json:"sent"`
	// Checked is of how many accounts the usage report was right, and Verified says that the files were proved sound in the end.
	Checked  int  `json:"checked"`
	Verified bool `json:"verified"`
}

// growing is a measurement under way.
type growing struct {
	*GrowthConfig
	*Growth

	stream *traffic.Stream
	dir    string
	server *deploy.Deployment
}

// Grow fills a store and measures it.
func Grow(ctx context.Context, c GrowthConfig) (*Growth, error) {
	machine, err := Look(c.Dir)
	if err != nil {
		return &Growth{}, err
	}
	c.Mix.Span = 90*24*time.Hour - time.Hour
	c.Mix.Start = time.Now().Add(-c.Mix.Span).Truncate(time.Second)
	c.Mix.Step = c.Mix.Span / time.Duration(c.Calls)
	g := &growing{GrowthConfig: &c, Growth: &Growth{Machine: machine, Mix: c.Mix}, stream: traffic.New(c.Mix)}
	if g.dir, err = os.MkdirTemp(c.Dir, "growth-"); err != nil {
		return g.Growth, err
	}
	defer func() {
		if g.server != nil {
			g.server.Kill()
		}
	}()
	for _, part := range []func(context.Context) error{g.start, g.empty, g.fill, g.full, g.half, g.check, g.kill, g.verify} {
		if err := part(ctx); err != nil {
			return g.Growth, fmt.Errorf("%w (see %s)", err, g.dir)
		}
	}
	return g.Growth, os.RemoveAll(g.dir)
}

func (g *growing) start(ctx context.Context) (err error) {
	g.server, err = g.Programs.Start(ctx, deploy.Standalone, filepath.Join(g.dir, "data"), g.dir)
	return err
}

// send sends the next calls of the stream, all of which must be answered 200.
func (g *growing) send(ctx context.Context, what string, c drive.Config) (measure.Measurement, error) {
	c.Address, c.WriteKey, c.First = g.server.Address, deploy.WriteKey, g.Sent
	c.Retry = true
	c.Progress = func(calls uint64, rate float64) { g.say("%s: %d calls, %.0f/s", what, g.Sent+calls, rate) }
	m, err := measure.Run(ctx, g.stream, c, g.server.Server())
	if err != nil {
		return m, fmt.Errorf("%s: %w", what, err)
	}
	g.Sent = m.Next
	if err := errors.Join(m.Complete(), ctx.Err()); err != nil {
		return m, fmt.Errorf("%s: %w", what, err)
	}
	return m, nil
}

func (g *growing) single() drive.Config {
	return drive.Config{Connections: 256, Duration: g.Duration, Warmup: g.Warmup}
}

func (g *growing) batch() drive.Config {
	return drive.Config{Connections: 8, Batch: 100, Duration: g.Duration, Warmup: g.Warmup}
}

func (g *growing) empty(ctx context.Context) (err error) {
	if g.Empty, err = g.send(ctx, "empty, batches", g.batch()); err == nil {
		g.EmptySingle, err = g.send(ctx, "empty, single", g.single())
	}
	return err
}

func (g *growing) full(ctx context.Context) (err error) {
	if g.Full, err = g.send(ctx, "full, batches", g.batch()); err == nil {
		g.FullSingle, err = g.send(ctx, "full, single", g.single())
	}
	return err
}

const fillParts = 20

func (g *growing) fill(ctx context.Context) error {
	for part := range uint64(fillParts) {
		until := g.Calls * (part + 1) / fillParts
		if until <= g.Sent {
			continue
		}
		c := g.batch()
		c.Calls, c.Duration, c.Warmup = until-g.Sent, 24*time.Hour, 0
		m, err := g.send(ctx, "fill", c)
		if err != nil {
			return err
		}
		g.Fill = append(g.Fill, m)
	}
	return nil
}

// half asks for one report after the other, of one account after the other, while calls come in at half of what they could.
func (g *growing) half(ctx context.Context) (err error) {
	asking, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	var asked error
	group.Go(func() {
		for n := 0; asking.Err() == nil; n++ {
			account := g.stream.AccountID(n * 37 % g.Mix.Accounts)
			_, took, err := askUsage(ctx, g.server.Address, account, time.Now())
			if err != nil {
				asked = err
				return
			}
			g.Reports = append(g.Reports, float64(took.Microseconds())/1000)
		}
	})
	c := g.single()
	c.Rate = g.FullSingle.PerSecond / 2
	g.Half, err = g.send(ctx, "full, half load, with reports", c)
	stop()
	group.Wait()
	slices.Sort(g.Reports)
	return errors.Join(err, asked)
}

// check compares usage reports with what was sent. Calls that are late can be older than the report's 90 days, so it asks for all days.
func (g *growing) check(ctx context.Context) error {
	g.say("compute what reports must say")
	want := expect.After(g.stream, g.Sent, g.Mix.Accounts, g.Sample)
	for _, account := range want.Accounts() {
		report, err := askAllUsage(ctx, g.server.Address, g.stream.AccountID(account))
		if err != nil {
			return err
		}
		if difference := report.differs(want.Usage(account)); difference != "" {
			return fmt.Errorf("%w: the usage report of %s: %s", expect.ErrDiffers, g.stream.AccountID(account), difference)
		}
		g.Checked++
	}
	return nil
}

// kill kills it while sessions run, and starts it again.
func (g *growing) kill(ctx context.Context) error {
	live := g.Mix
	live.Strangers, live.Span, live.Step = true, time.Minute, time.Microsecond
	live.Seed++ // other calls than those before
	for kill := range g.Kills {
		live.Start = time.Now().Add(-live.Span)
		c := g.batch()
		// Some of the calls are copies, and some too late for their session to run still.
		c.Calls, c.Duration, c.Warmup = g.Live*115/100, 24*time.Hour, 0
		c.Address, c.WriteKey, c.First = g.server.Address, deploy.WriteKey, 0
		c.Retry = true
		if kill > 0 {
			c.Calls, c.First = g.Live/100, g.Live*2+uint64(kill)*g.Live
		}
		c.Progress = func(calls uint64, rate float64) { g.say("live sessions: %d calls, %.0f/s", calls, rate) }
		m, err := measure.Run(ctx, traffic.New(live), c, g.server.Server())
		if err := errors.Join(err, m.Complete()); err != nil {
			return fmt.Errorf("live sessions: %w", err)
		}
		g.server.Kill()
		began := time.Now()
		if err := g.start(ctx); err != nil {
			return err
		}
		g.ReadyMS = append(g.ReadyMS, float64(time.Since(began).Milliseconds()))
	}
	return nil
}

func (g *growing) verify(ctx context.Context) error {
	if err := g.server.Stop(); err != nil {
		return err
	}
	g.say("verify")
	err := g.Programs.Verify(ctx, filepath.Join(g.dir, "data"))
	g.Verified = err == nil
	return err
}
