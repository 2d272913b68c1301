package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"

	reportv1 "github.com/sojournhq/sojourn/proto/sojourn/report/v1"
	"github.com/sojournhq/sojourn/proto/sojourn/report/v1/reportv1connect"
)

// line is any line of a dump, as far as usage goes.
type line struct {
	Kind, AccountID, UserID, Module, Feature, Time string
	Start, End                                     string
	Modules                                        []struct {
		Module               string
		DurationMS, ActiveMS int64
	}
}

// everything is the name of all modules together.
const everything = "(all modules)"

// figures are what a usage report says of a module, or of a feature under "module / feature".
type figures struct {
	DurationMS, ActiveMS, Uses              int64
	Users, NonUsers, DaysUsed, UserDays     int64
	DurationPerUserDayMS, ActivePerUserDay  int64
	UsesPerUserDay                          float64
	LastUsedDay, LastUse                    string
	usedBy, usedOn, usedByOn                map[string]bool
	userDurationMS, userActiveMS, userUsing int64
}

// use notes that a user used something on a day.
func (f *figures) use(user, day string, durationMS, activeMS, uses int64) {
	f.DurationMS, f.ActiveMS, f.Uses = f.DurationMS+durationMS, f.ActiveMS+activeMS, f.Uses+uses
	f.LastUsedDay = max(f.LastUsedDay, day)
	f.usedOn[day] = true
	if user != "" {
		f.usedBy[user], f.usedByOn[user+"\x00"+day] = true, true
		f.userDurationMS, f.userActiveMS, f.userUsing = f.userDurationMS+durationMS, f.userActiveMS+activeMS, f.userUsing+uses
	}
}

// fromDump works out the usage report of an account from the lines of a dump alone, knowing nothing of how Sojourn does it.
func fromDump(t *testing.T, dump, account, from, to string) map[string]*figures {
	t.Helper()
	report, users := map[string]*figures{}, map[string]bool{}
	at := func(name string) *figures {
		if report[name] == nil {
			report[name] = &figures{usedBy: map[string]bool{}, usedOn: map[string]bool{}, usedByOn: map[string]bool{}}
		}
		return report[name]
	}
	for text := range strings.Lines(dump) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		if l.AccountID != account {
			continue
		}
		switch l.Kind {
		case "user":
			users[l.UserID] = true
		case "event":
			if day := l.Time[:10]; day >= from && day <= to {
				for _, name := range []string{everything, l.Module, l.Module + " / " + l.Feature} {
					at(name).use(l.UserID, day, 0, 0, 1)
					at(name).LastUse = max(at(name).LastUse, l.Time)
				}
			}
		case "session":
			day := l.Start[:10]
			if day != l.End[:10] {
				t.Fatalf("a dump does not say how the session from %s to %s divides at midnight", l.Start, l.End)
			}
			if day < from || day > to {
				continue
			}
			for _, m := range l.Modules {
				at(everything).use(l.UserID, day, m.DurationMS, m.ActiveMS, 0)
				at(m.Module).use(l.UserID, day, m.DurationMS, m.ActiveMS, 0)
			}
		}
	}
	for _, f := range report {
		f.Users, f.DaysUsed, f.UserDays = int64(len(f.usedBy)), int64(len(f.usedOn)), int64(len(f.usedByOn))
		f.NonUsers = int64(len(users)) - f.Users
		if f.UserDays > 0 {
			f.DurationPerUserDayMS, f.ActivePerUserDay = f.userDurationMS/f.UserDays, f.userActiveMS/f.UserDays
			f.UsesPerUserDay = float64(f.userUsing) / float64(f.UserDays)
		}
	}
	return report
}

// fromReport puts the gateway's report into the same form.
func fromReport(r *reportv1.GetAccountUsageResponse) map[string]*figures {
	report := map[string]*figures{}
	usage := func(name string, u *reportv1.Usage) {
		report[name] = &figures{
			DurationMS: u.GetDuration().AsDuration().Milliseconds(), ActiveMS: u.GetActive().AsDuration().Milliseconds(), Uses: u.GetUses(),
			Users: u.GetUsers(), NonUsers: u.GetNonUsers(), DaysUsed: u.GetDaysUsed(), UserDays: u.GetUserDays(),
			DurationPerUserDayMS: u.GetDurationPerUserDay().AsDuration().Milliseconds(),
			ActivePerUserDay:     u.GetActivePerUserDay().AsDuration().Milliseconds(), LastUsedDay: u.GetLastUsedDay(),
		}
		if u.GetLastUse() != nil {
			report[name].LastUse = u.GetLastUse().AsTime().Format("2006-01-02T15:04:05.000Z")
		}
	}
	usage(everything, r.GetTotal())
	for _, m := range r.GetModules() {
		usage(m.GetModule(), m.GetUsage())
	}
	for _, f := range r.GetFeatures() {
		last := f.GetLastUse().AsTime().Format("2006-01-02T15:04:05.000Z")
		report[f.GetModule()+" / "+f.GetFeature()] = &figures{
			Uses: f.GetUses(), Users: f.GetUsers(), NonUsers: f.GetNonUsers(), DaysUsed: f.GetDaysUsed(), UserDays: f.GetUserDays(),
			UsesPerUserDay: f.GetUsesPerUserDay(), LastUsedDay: last[:10], LastUse: last,
		}
	}
	return report
}

func TestTheUsageReportOfADemoAccountIsWhatTheDumpAddsUpTo(t *testing.T) {
	onBoth(t, func(t *testing.T, d deployment) {
		demo := exec.Command(filepath.Join(binaries, "sojourn"), "demo", "-url", d.url())
		demo.Env = append(os.Environ(), "SOJOURN_WRITE_KEY="+writeKey)
		if out, err := demo.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		state := dumpRunning(t, d)
		reports := reportv1connect.NewReportServiceClient(http.DefaultClient, d.url())
		day := func(ago int) string { return time.Now().UTC().AddDate(0, 0, -ago).Format(time.DateOnly) }
		for _, account := range []string{"acct-alder-finch", "acct-brightwater"} {
			for _, days := range [][2]string{{day(60), day(0)}, {day(20), day(7)}} {
				ctx, info := connect.NewClientContext(t.Context())
				info.RequestHeader().Set("Authorization", "Bearer "+queryToken)
				report, err := reports.GetAccountUsage(ctx, &reportv1.GetAccountUsageRequest{AccountId: account, FromDay: days[0], ToDay: days[1]})
				if err != nil {
					t.Fatal(err)
				}
				want, got := fromDump(t, state, account, days[0], days[1]), fromReport(report)
				if len(want) < 20 {
					t.Errorf("the dump knows only %d modules and features of %s", len(want), account)
				}
				// The total has no figure of its own for uses per user and day, nor have modules.
				for name, f := range want {
					if !strings.Contains(name, " / ") {
						f.UsesPerUserDay = 0
					}
				}
				if diff := cmp.Diff(want, got, cmp.FilterPath(func(p cmp.Path) bool {
					field, ok := p.Last().(cmp.StructField)
					return ok && strings.HasPrefix(field.Name(), "use")
				}, cmp.Ignore()), cmp.AllowUnexported(figures{})); diff != "" {
					t.Errorf("%s from %s to %s (-dump +report):\n%s", account, days[0], days[1], diff)
				}
			}
		}
	})
}
