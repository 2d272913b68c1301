package group_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/observe"

	"github.com/sojournhq/sojourn/gateway/internal/group"
)

// breakDown panics as a bug would. Its name has to be in the log.
func breakDown() error {
	return []error{nil}[strings.Index("a", "b")]
}

// wait waits for a group, and returns what the log says of the panic with which that ends.
func wait(g *group.Group) (log string, err error) {
	var out bytes.Buffer
	defer func() {
		if p := recover(); p != nil {
			slog.New(slog.NewJSONHandler(&out, nil)).Error("panicked", observe.Panic(p))
			log = out.String()
		}
	}()
	return "", g.Wait()
}

func TestAPanicIsRaisedWhereTheGroupIsWaitedFor(t *testing.T) {
	for name, fail := range map[string]func() error{
		"in the group": breakDown,
		"in a group of the group": func() error {
			inner, _ := group.WithContext(t.Context())
			inner.Go(breakDown)
			return inner.Wait()
		},
	} {
		g, ctx := group.WithContext(t.Context())
		g.SetLimit(2)
		g.Go(func() error { <-ctx.Done(); return ctx.Err() }) // or the test would not end
		g.Go(fail)
		log, err := wait(g)
		if err != nil || !strings.Contains(log, `"panic":"runtime error: index out of range [-1]"`) || !strings.Contains(log, "group_test.breakDown") {
			t.Errorf("%s: %v, logged %s", name, err, log)
		}
	}
}

func TestWhatWasPanickedWithIsNotLogged(t *testing.T) {
	g, _ := group.WithContext(t.Context())
	g.Go(func() error { panic("secret") })
	if log, err := wait(g); err != nil || !strings.Contains(log, `"panic":"string"`) || strings.Contains(log, "secret") {
		t.Errorf("%v, logged %s", err, log)
	}
}

func TestWithoutAPanicTheFirstErrorCounts(t *testing.T) {
	wrong := errors.New("wrong")
	g, ctx := group.WithContext(t.Context())
	g.Go(func() error { return wrong })
	g.Go(func() error { <-ctx.Done(); return context.Cause(ctx) })
	if log, err := wait(g); !errors.Is(err, wrong) || log != "" {
		t.Errorf("%v, logged %s", err, log)
	}
}
