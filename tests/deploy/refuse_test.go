package deploy_test

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

func TestTheChartRefusesWhatCannotBeMeantAndSaysWhy(t *testing.T) {
	for name, c := range map[string]struct{ values, want string }{
		"two owners of one file":             {"events: {replicas: 2}", "one bbolt file, which has one owner"},
		"no owner of a file":                 {"sessions: {replicas: 0}", "must be 1"},
		"a typo at the top":                  {"gatway: {}", "gatway"},
		"a typo below":                       {"gateway: {replica: 3}", "replica"},
		"a typo far below":                   {"metrics: {prometheusRule: {enable: true}}", "enable"},
		"a service's setting of another one": {"events: {keepChanges: 1h}", "keepChanges"},
		"a plain key in the ConfigMap":       {"workspaces: {list: [{id: a, sources: [{id: w, write_keys: [write-key-0000000000]}]}]}", "does not match"},
		"a plain shared secret":              {"workspaces: {default: {source: {shared_secrets: [secret]}}}", "does not match"},
		"another key in the settings":        {"workspaces: {default: {settings: {query_tokens: []}}}", "not"},
		"a short key":                        {"keys: {plain: {writeKey: short}}", "does not match"},
		"keys whose hashes are not known":    {"keys: {existingSecret: mine}", "64 hex digits"},
		"TLS without a certificate":          {"tls: {gateway: {enabled: true}}", "tls.gateway.existingSecret"},
		"TLS of services without one":        {"tls: {services: {enabled: true, existingSecret: a}}", "existingClientSecret"},
		"a certificate without an issuer":    {"tls: {gateway: {enabled: true}, certManager: {enabled: true}}", "issuerRef.name"},
		"an Ingress for no host":             {"ingress: {enabled: true}", "ingress.hosts"},
		"a route from nowhere":               {"httpRoute: {enabled: true}", "parentRefs"},
		"an argument that is none":           {"gateway: {extraArgs: [deadline=3s]}", "does not match"},
		"backups of nothing":                 {"backup: {enabled: true, keep: 0}", "minimum"},
	} {
		t.Run(name, func(t *testing.T) {
			var values map[string]any
			if err := yaml.UnmarshalStrict([]byte(c.values), &values); err != nil {
				t.Fatal(err)
			}
			_, err := render(values, installed(), kubernetes(t))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}
