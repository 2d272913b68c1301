package deploy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/promqltest"
)

// firing are the labels of what an alert fires for 20 minutes after a minute's series began, "" if it does not.
func firing(t *testing.T, alert, series string) string {
	t.Helper()
	expr := ""
	for _, r := range alerts(t) {
		if r.Alert == alert {
			expr = r.Expr
		}
	}
	storage := promqltest.LoadedStorage(t, "load 1m\n"+series)
	engine := promqltest.NewTestEngine(t, false, 0, 100_000)
	query, err := engine.NewInstantQuery(t.Context(), storage, nil, expr, time.Unix(20*60, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer query.Close()
	result := query.Exec(t.Context())
	if result.Err != nil {
		t.Fatal(result.Err)
	}
	vector, err := result.Vector()
	if err != nil {
		t.Fatal(err)
	}
	var labels []string
	for _, sample := range vector {
		labels = append(labels, sample.Metric.String())
	}
	return strings.Join(labels, " ")
}

func TestAComponentIsDownAlsoWhenNoAddressIsLeftOfIt(t *testing.T) {
	up := func(service, values string) string {
		return `  up{namespace="usage", service="sojourn-` + service + `", pod="x"} ` + values + "\n"
	}
	all := up("gateway-admin", "1x30") + up("events-headless", "1x30") + up("sessions-headless", "1x30")
	if got := firing(t, "SojournDown", all+up("identity-headless", "1x30")); got != "" {
		t.Errorf("all are up: %s", got)
	}
	for what, series := range map[string]string{"it was never there": "", "it is gone": up("identity-headless", "1x5"), "it is down": up("identity-headless", "0x30")} {
		if got := firing(t, "SojournDown", all+series); strings.Count(got, "service") != 1 || !strings.Contains(got, "sojourn-identity-headless") {
			t.Errorf("%s: %q", what, got)
		}
	}
}

func TestAFailedCommitIsSeenAlsoOnceItsProcessIsGone(t *testing.T) {
	pod := `{namespace="usage", pod="sojourn-events-0", container="eventsd"} `
	restarted := "  kube_pod_container_status_restarts_total" + pod + "0x15 1x15\n"
	for series, want := range map[string]bool{
		"  sojourn_store_failed{namespace=\"usage\", component=\"events\"} 0x30\n":                 false,
		"  sojourn_store_failed{namespace=\"usage\", component=\"events\"} 0x8 1\n":                true,
		"  kube_pod_container_status_last_terminated_exitcode" + pod + "_x15 74x15\n" + restarted:  true,
		"  kube_pod_container_status_last_terminated_exitcode" + pod + "_x15 137x15\n" + restarted: false,
		"  kube_pod_container_status_last_terminated_exitcode" + pod + "74x30\n":                   false, // it was long ago
	} {
		if got := firing(t, "SojournStoreFailed", series); (got != "") != want {
			t.Errorf("%s fires for %q", series, got)
		}
	}
}

func TestABackupThatFailedIsToldOfUntilOneSucceeds(t *testing.T) {
	const (
		cronjob = `{namespace="usage", cronjob="sojourn-backup"} `
		job     = `{namespace="usage", job_name="sojourn-backup-1"} `
		created = "  kube_cronjob_created" + cronjob + "0x30\n"
		failed  = "  kube_job_created" + job + "600x30\n" + `  kube_job_failed{namespace="usage", job_name="sojourn-backup-1", condition="true"} 1x30` + "\n"
	)
	for series, want := range map[string]bool{
		created:          false,
		created + failed: true,
		created + failed + "  kube_cronjob_status_last_successful_time" + cronjob + "300x30\n": true,
		created + failed + "  kube_cronjob_status_last_successful_time" + cronjob + "900x30\n": false,
		"  kube_cronjob_created" + cronjob + "-200000x30\n":                                    true,
	} {
		if got := firing(t, "SojournBackupFailed", series); (got != "") != want {
			t.Errorf("%s fires for %q", series, got)
		}
	}
}
