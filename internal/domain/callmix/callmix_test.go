package callmix_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/callmix"
)

func TestCallsAreValidInOrderAndMixedAsPromised(t *testing.T) {
	const n = 10_000
	calls := callmix.New(1).Calls(n)
	if diff := cmp.Diff(calls[:100], callmix.New(1).Calls(100)); diff != "" {
		t.Errorf("the same seed makes other calls:\n%s", diff)
	}
	types, last := map[call.Type]int{}, int64(0)
	for i := range calls {
		if err := calls[i].Check(); err != nil || calls[i].TimeMS < last {
			t.Fatalf("call %d at %d after %d: %v", i, calls[i].TimeMS, last, err)
		}
		last = calls[i].TimeMS
		types[calls[i].Type]++
	}
	for kind, percent := range map[call.Type]int{call.Track: 80, call.Identify: 10, call.Group: 3, call.Page: 7} {
		if got := types[kind] * 100 / n; got < percent-2 || got > percent+2 {
			t.Errorf("%d %% are %s, want %d", got, kind, percent)
		}
	}
}
