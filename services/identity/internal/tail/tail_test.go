package tail_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	"github.com/sojournhq/sojourn/services/identity/internal/tail"
)

func everything(*identityv1.ReceivedCall) bool { return true }

func watch(t *testing.T, h *tail.Hub, workspace string, want func(*identityv1.ReceivedCall) bool) *tail.Watcher {
	t.Helper()
	w, err := h.Watch(workspace, want)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func calls(types ...string) func() []*identityv1.ReceivedCall {
	return func() (all []*identityv1.ReceivedCall) {
		for _, name := range types {
			all = append(all, &identityv1.ReceivedCall{Type: name})
		}
		return all
	}
}

// next returns the types of the calls that are told next, joined, and how many were missed behind them.
func next(t *testing.T, w *tail.Watcher) (types string, missed int64) {
	t.Helper()
	told, missed, err := w.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, c := range told {
		all.WriteString(c.GetType())
	}
	return all.String(), missed
}

func TestEveryWatcherIsToldWhatItWantsOfItsWorkspace(t *testing.T) {
	var h tail.Hub
	all, some := watch(t, &h, "w", everything), watch(t, &h, "w", func(c *identityv1.ReceivedCall) bool { return c.GetType() == "b" })
	other := watch(t, &h, "other", everything)
	h.Publish("w", calls("a", "b"))
	h.Publish("other", calls("c"))
	h.Publish("w", calls("d"))
	for want, w := range map[string]*tail.Watcher{"abd": all, "b": some, "c": other} {
		if got, missed := next(t, w); got != want || missed != 0 {
			t.Errorf("told %q and %d missed, want %q", got, missed, want)
		}
	}
}

func TestWhereNobodyWatchesNothingIsAskedFor(t *testing.T) {
	var h tail.Hub
	never := func() []*identityv1.ReceivedCall {
		t.Error("asked for calls that nobody is told")
		return nil
	}
	h.Publish("w", never)
	w := watch(t, &h, "other", everything)
	h.Publish("w", never)
	w.Leave()
	h.Publish("other", never)
}

func TestWhoDoesNotKeepUpMissesCallsAndIsToldHowManyAndWhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h tail.Hub
		slow := watch(t, &h, "w", everything)
		long := func() []*identityv1.ReceivedCall {
			return []*identityv1.ReceivedCall{{Type: "x", Rejected: &identityv1.RejectedCall{Body: make([]byte, 1<<20)}}}
		}
		for range 10 {
			h.Publish("w", long)
		}
		h.Publish("w", calls("s")) // there would be room for it, but not in its place
		if got, missed := next(t, slow); got != "xxx" || missed != 8 {
			t.Errorf("told %q and %d missed", got, missed)
		}
		h.Publish("w", calls("a"))
		if got, missed := next(t, slow); got != "a" || missed != 0 {
			t.Errorf("afterwards told %q and %d missed", got, missed)
		}
	})
}

func TestAWatcherWaitsUntilThereIsSomethingOrItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h tail.Hub
		w := watch(t, &h, "w", everything)
		ctx, leave := context.WithCancel(t.Context())
		told := make(chan string, 2)
		var waiting sync.WaitGroup
		waiting.Go(func() {
			for {
				got, _, err := w.Next(ctx)
				if err != nil {
					told <- err.Error()
					return
				}
				told <- got[0].GetType()
			}
		})
		synctest.Wait()
		if len(told) > 0 {
			t.Errorf("told %q of nothing", <-told)
		}
		h.Publish("w", calls("a"))
		synctest.Wait()
		if got := <-told; got != "a" {
			t.Errorf("told %q", got)
		}
		leave()
		waiting.Wait()
		if got := <-told; !strings.Contains(got, "canceled") {
			t.Errorf("ended with %q", got)
		}
	})
}

func TestTheWatchersOfOneWorkspaceLeaveRoomForThoseOfAnother(t *testing.T) {
	var h tail.Hub
	for _, workspace := range []string{"w", "other"} {
		refused := false
		for !refused {
			_, err := h.Watch(workspace, everything)
			refused = errors.Is(err, tail.ErrFull)
			if err != nil && !refused {
				t.Fatal(err)
			}
		}
	}
	watch(t, &h, "a third", everything)
}

func TestThereAreAsManyPlacesAsThereAreAndOneIsFreeWhenSomebodyLeaves(t *testing.T) {
	var h tail.Hub
	var last *tail.Watcher
	for i := range tail.MaxWatchers {
		last = watch(t, &h, strconv.Itoa(i), everything)
	}
	if _, err := h.Watch("another", everything); !errors.Is(err, tail.ErrFull) {
		t.Errorf("one too many: %v", err)
	}
	last.Leave()
	last.Leave() // counts once
	watch(t, &h, "another", everything)
	if _, err := h.Watch("another", everything); !errors.Is(err, tail.ErrFull) {
		t.Errorf("one too many again: %v", err)
	}
}

func TestThoseWhoPublishAndWatchAndLeaveAtOnceDoNotGetInEachOthersWay(t *testing.T) {
	var h tail.Hub
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 200 {
				h.Publish("w", calls("a", "b"))
			}
		})
		all.Go(func() {
			for range 50 {
				w, err := h.Watch("w", everything)
				if err != nil {
					t.Error(err)
					return
				}
				h.Publish("w", calls("c"))
				if got, _, err := w.Next(t.Context()); err != nil || len(got) == 0 {
					t.Errorf("told %v, %v", got, err)
				}
				w.Leave()
			}
		})
	}
	all.Wait()
}
