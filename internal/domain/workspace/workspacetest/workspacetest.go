// Package workspacetest has what tests of large configurations need.
package workspacetest

import (
	"crypto/sha256"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// Many returns a workspaces file as deployments with many customers have it: each workspace with two sources, keys both plain and as
// hashes, tiers, dimensions and mappings.
func Many(workspaces int) []byte {
	var text strings.Builder
	text.WriteString("admin_tokens: [" + hashed("admin", 0) + "]\nworkspaces:\n")
	for i := range workspaces {
		fmt.Fprintf(&text, workspace, i, hashed("query", i), hashed("write", i), hashed("server", i))
	}
	return []byte(text.String())
}

func hashed(kind string, i int) string {
	return fmt.Sprintf("sha256:%x", sha256.Sum256(fmt.Appendf(nil, "%s-%d", kind, i)))
}

const workspace = `
  # Customer %[1]d
  - id: customer-%[1]d
    query_tokens: [%[2]s, query-token-%016[1]d]
    tiers: [trial, starter, growth, enterprise]
    lifecycle_stages: [onboarding, adoption, renewal, at risk]
    session_timeout: 45m
    keep_rejected: 72h
    dimensions:
      - name: Plan
        type: string
        from: [group.plan, identify.company.plan]
      - {name: Seats, type: number, from: [group.seats]}
      - {name: Region, type: string}
    sources:
      - id: web
        write_keys: [%[3]s, write-key-%016[1]d]
        require_user_id: false
        max_clock_skew: 90s
        absent_ids: ["null", undefined, none]
        limits: {calls_per_second: 500, burst: 2000, concurrent_requests: 50}
        mapping:
          feature: [event, {path: name, types: [page, screen]}]
          module:
            - path: properties.module
            - {path: category, types: [page, screen]}
            - {literal: Billing, types: [track], events: [Invoice Created, "Invoice *"]}
          account: [context.groupId, "properties.total billed"]
          dimensions:
            Region: [context.region, {literal: eu, types: [group]}]
      - id: server
        write_keys:
          - %[4]s
        shared_secrets: [shared-secret-%016[1]d]
        require_anonymous_id: false
        mapping:
          module: [properties.area]
          time: [properties.at]
`

// Linear fails the test if work of four times the size allocates more than eight times as much. It should be four times; slices and maps
// that grow by doubling make it up to six. Work that makes something of n workspaces for each of n keys allocates sixteen times as much.
// No time is measured, which another process could spoil.
func Linear(tb testing.TB, size int, work func(size int)) {
	tb.Helper()
	work(size) // what is made once is made here
	small, smallCount := allocated(func() { work(size) })
	large, largeCount := allocated(func() { work(4 * size) })
	if large > 8*small || largeCount > 8*smallCount {
		tb.Errorf("of size %d: %d bytes in %d pieces; of %d: %d in %d", size, small, smallCount, 4*size, large, largeCount)
	}
}

func allocated(work func()) (bytes, count uint64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	work()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc, after.Mallocs - before.Mallocs
}
