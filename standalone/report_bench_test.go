package standalone_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	reportv1 "github.com/sojournhq/sojourn/proto/sojourn/report/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
)

const (
	benchUsers  = 10_000 // of the account that is asked about; as many others belong to other accounts
	benchVisits = 5      // of each user, spread over 90 days
	benchUses   = 4      // of features, in each visit
)

// BenchmarkReports asks about an account with 10,000 users and 200,000 uses in 90 days, over HTTP and all three services. Beside the time it
// tells how much processor time one answer takes, which other work on the machine does not change.
func BenchmarkReports(b *testing.B) {
	r := run(b, workspace.Workspace{ID: "w"})
	for user := 0; user < 2*benchUsers; user += 400 {
		var calls []*segmentv1.Call
		for u := user; u < user+400; u++ {
			calls = append(calls, visitsOf(u)...)
		}
		r.record("w", calls)
	}
	ctx, cancel := context.WithTimeout(b.Context(), 5*time.Minute)
	defer cancel()
	from, to := midnight.Format(time.DateOnly), midnight.AddDate(0, 0, 89).Format(time.DateOnly)
	for name, ask := range map[string]func() error{
		"usage": func() error {
			_, err := r.reports.GetAccountUsage(ctx, &reportv1.GetAccountUsageRequest{
				Workspace: "w", AccountId: "large", FromDay: from, ToDay: to,
			})
			return err
		},
		"overview": func() error {
			_, err := r.reports.GetAccountOverview(ctx, &reportv1.GetAccountOverviewRequest{
				Workspace: "w", AccountId: "large", AsOfDay: to,
			})
			return err
		},
		"activity": func() error {
			_, err := r.reports.ListAccountActivity(ctx, &reportv1.ListAccountActivityRequest{Workspace: "w", AsOfDay: to})
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			before := processorTime(b)
			for b.Loop() {
				if err := ask(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((processorTime(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
		})
	}
}

// visitsOf returns what a user does: in every tenth visit without naming the account.
func visitsOf(user int) (calls []*segmentv1.Call) {
	account := "large"
	if user%2 == 1 {
		account = fmt.Sprint("small ", user%200)
	}
	for visit := range benchVisits {
		at := midnight.AddDate(0, 0, (user*7+visit*18)%90).Add(time.Duration(user%1000) * time.Second)
		for use := range benchUses {
			n := user + visit + use
			ms := at.Add(time.Duration(use) * time.Minute).UnixMilli()
			c := &segmentv1.Call{
				Type: segmentv1.CallType_CALL_TYPE_TRACK, MessageId: fmt.Sprint(user, "-", visit, "-", use), TimeMs: ms, OriginalTimeMs: ms,
				AnonymousId: fmt.Sprint("browser ", user), UserId: fmt.Sprintf("%08x-user", user*2_654_435_761%(1<<32)), AccountId: account, Source: "web",
				Module: fmt.Sprint("module ", n%8), Feature: fmt.Sprint("feature ", n%56),
			}
			if (user/2+visit)%10 == 9 {
				c.AccountId = ""
			}
			calls = append(calls, c)
		}
	}
	return calls
}

// processorTime returns how much of it the process has used.
func processorTime(tb testing.TB) time.Duration {
	tb.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
