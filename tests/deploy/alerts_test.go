package deploy_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/prometheus/prometheus/promql/parser"
)

// rule is an alert as the operator of Prometheus reads it.
type rule struct {
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	For         string            `json:"for"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

func alerts(t *testing.T) []rule {
	t.Helper()
	type rules struct {
		APIVersion string         `json:"apiVersion"`
		Kind       string         `json:"kind"`
		Metadata   map[string]any `json:"metadata"`
		Spec       struct {
			Groups []struct {
				Name  string `json:"name"`
				Rules []rule `json:"rules"`
			} `json:"groups"`
		} `json:"spec"`
	}
	enabled := map[string]any{"enabled": true}
	values := map[string]any{"backup": enabled, "metrics": map[string]any{"prometheusRule": enabled, "dashboard": enabled}}
	return object[rules](t, mustRender(t, values), "PrometheusRule", "sojourn").Spec.Groups[0].Rules
}

func TestEveryAlertIsAnExpressionWithAParagraphThatSaysWhatToDo(t *testing.T) {
	docs := read(t, "docs/kubernetes.md")
	all := alerts(t)
	if len(all) < 10 {
		t.Errorf("%d alerts", len(all))
	}
	for _, r := range all {
		if _, err := parser.NewParser(parser.Options{}).ParseExpr(r.Expr); err != nil {
			t.Errorf("%s: %v", r.Alert, err)
		}
		if strings.Contains(r.Expr, "$") || !strings.Contains(r.Expr, namespace) {
			t.Errorf("%s is not of this release: %s", r.Alert, r.Expr)
		}
		if !strings.Contains(docs, "\n### "+r.Alert+"\n") || !strings.HasSuffix(r.Annotations["runbook_url"], "docs/kubernetes.md#"+strings.ToLower(r.Alert)) {
			t.Errorf("%s has no paragraph in docs/kubernetes.md, or does not point to it: %s", r.Alert, r.Annotations["runbook_url"])
		}
	}
}

func TestEveryPanelOfTheDashboardAsksWhatPrometheusUnderstands(t *testing.T) {
	values := map[string]any{"metrics": map[string]any{"dashboard": map[string]any{"enabled": true}}}
	text := object[corev1.ConfigMap](t, mustRender(t, values), "ConfigMap", "sojourn-dashboard").Data["sojourn.json"]
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(text), &dashboard); err != nil {
		t.Fatal(err)
	}
	variable := regexp.MustCompile(`\$__rate_interval`)
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			if _, err := parser.NewParser(parser.Options{}).ParseExpr(variable.ReplaceAllString(target.Expr, "5m")); err != nil || len(p.Targets) == 0 {
				t.Errorf("%s: %v", p.Title, err)
			}
		}
	}
}

func TestAlertsAndDashboardAskForMetricsThatThereAre(t *testing.T) {
	documented := documentedMetrics(t)
	asked := 0
	part := regexp.MustCompile(`_(bucket|sum|count)$`)
	for _, e := range expressions(t) {
		parser.Inspect(e, func(node parser.Node, _ []parser.Node) error {
			selector, ok := node.(*parser.VectorSelector)
			if !ok || !strings.HasPrefix(selector.Name, "sojourn_") && !strings.HasPrefix(selector.Name, "grpc_server_") {
				return nil
			}
			asked++
			row, ok := documented[part.ReplaceAllString(selector.Name, "")]
			if !ok {
				t.Errorf("%s is not in docs/metrics.md", selector.Name)
			}
			for _, m := range selector.LabelMatchers {
				everywhere := slices.Contains([]string{"__name__", "namespace", "pod", "component"}, m.Name)
				if !everywhere && !strings.Contains(row, "`"+m.Name+"`") {
					t.Errorf("%s has no label %s", selector.Name, m.Name)
				}
				if m.Name == "outcome" && !strings.Contains(row, m.Value) {
					t.Errorf("%s has no %s", selector.Name, m)
				}
			}
			return nil
		})
	}
	if asked < 20 {
		t.Errorf("metrics are asked for %d times", asked)
	}
}

// expressions are those of the alerts and of the dashboard.
func expressions(t *testing.T) (all []parser.Expr) {
	t.Helper()
	var texts []string
	for _, r := range alerts(t) {
		texts = append(texts, r.Expr)
	}
	for _, m := range regexp.MustCompile(`"expr": (".*")`).FindAllStringSubmatch(read(t, "deploy/helm/sojourn/files/dashboard.json"), -1) {
		var text string
		if err := json.Unmarshal([]byte(m[1]), &text); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, strings.ReplaceAll(text, "$__rate_interval", "5m"))
	}
	for _, text := range texts {
		e, err := parser.NewParser(parser.Options{}).ParseExpr(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// documentedMetrics has the rows of docs/metrics.md by the metric's name.
func documentedMetrics(t *testing.T) map[string]string {
	t.Helper()
	rows := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` .*$").FindAllStringSubmatch(read(t, "docs/metrics.md"), -1) {
		rows[m[1]] = m[0]
	}
	return rows
}
