package workspace_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
)

func withLimits(limits string) []byte {
	return []byte("workspaces: [{id: acme, sources: [{id: web, write_keys: [write-key-000000000000], limits: " + limits + "}]}]")
}

func TestTheLimitsOfASourceAreReadAndWrittenBack(t *testing.T) {
	for text, want := range map[string]workspace.Limits{
		"{}":                                 {},
		"{calls_per_second: 0.5}":            {CallsPerSecond: 0.5},
		"{calls_per_second: 10, burst: 100}": {CallsPerSecond: 10, Burst: 100},
		"{concurrent_requests: 5}":           {ConcurrentRequests: 5},
		"{calls_per_second: 1e9, burst: 1}":  {CallsPerSecond: 1e9, Burst: 1},
	} {
		c, err := workspace.Parse(withLimits(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		encoded, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := workspace.Parse(encoded)
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range []*workspace.Config{c, again} {
			if diff := cmp.Diff(want, got.Workspaces[0].Sources[0].Limits); diff != "" {
				t.Errorf("%s: %s", text, diff)
			}
		}
	}
}

func TestABurstIsThatOfOneSecondUnlessItIsSet(t *testing.T) {
	for want, limits := range map[int]workspace.Limits{
		1: {CallsPerSecond: 0.1}, 3: {CallsPerSecond: 2.5}, 7: {CallsPerSecond: 100, Burst: 7},
	} {
		if got := limits.BurstSize(); got != want {
			t.Errorf("%+v: %d, want %d", limits, got, want)
		}
	}
}

func TestLimitsThatMeanNothingAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"{calls_per_second: -1}":                   "limits.calls_per_second",
		"{calls_per_second: .nan}":                 "limits.calls_per_second",
		"{calls_per_second: .inf}":                 "limits.calls_per_second",
		"{burst: 5}":                               "limits.burst: means nothing without calls_per_second",
		"{calls_per_second: 1, burst: -5}":         "limits.burst",
		"{calls_per_second: 1, burst: 2000000000}": "limits.burst",
		"{concurrent_requests: -1}":                "limits.concurrent_requests",
		"{requests_per_second: 1}":                 "requests_per_second",
	} {
		if _, err := workspace.Parse(withLimits(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
