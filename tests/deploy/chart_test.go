package deploy_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/yannh/kubeconform/pkg/validator"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the golden files anew")

const chartDir = "../../deploy/helm/sojourn"

// kubernetes is the version that charts are rendered for, the oldest one that the chart says it works with.
func kubernetes(t *testing.T) common.KubeVersion {
	t.Helper()
	v, err := common.ParseKubeVersion("v1.30.0")
	if err != nil {
		t.Fatal(err)
	}
	return *v
}

// valuesFiles are those in the chart's ci folder, by name.
func valuesFiles(t *testing.T) map[string]map[string]any {
	t.Helper()
	paths, err := filepath.Glob(chartDir + "/ci/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no values files: %v", err)
	}
	files := map[string]map[string]any{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var values map[string]any
		if err := yaml.UnmarshalStrict(text, &values); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		files[strings.TrimSuffix(filepath.Base(path), ".yaml")] = values
	}
	return files
}

func TestEveryValuesFileIsCleanToTheLinter(t *testing.T) {
	for name, values := range valuesFiles(t) {
		t.Run(name, func(t *testing.T) {
			v := kubernetes(t)
			result := lint.RunAll(chartDir, values, "default", lint.WithKubeVersion(&v))
			for _, m := range result.Messages {
				if m.Severity > support.InfoSev {
					t.Error(m)
				}
			}
		})
	}
}

func TestEveryValuesFileMakesWhatKubernetesKnows(t *testing.T) {
	check, err := validator.New([]string{"testdata/schemas/{{.ResourceKind}}{{.KindSuffix}}.json"}, validator.Opts{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range valuesFiles(t) {
		t.Run(name, func(t *testing.T) {
			for path, text := range mustRender(t, values) {
				for _, r := range check.Validate(path, readCloser(text)) {
					if r.Status != validator.Valid && r.Status != validator.Empty {
						t.Errorf("%s: %v %v", path, r.Err, r.ValidationErrors)
					}
				}
			}
		})
	}
}

// TestEveryValuesFileMakesWhatItMade shows in review what a change of the chart changes: go test ./tests/deploy -update.
func TestEveryValuesFileMakesWhatItMade(t *testing.T) {
	for name, values := range valuesFiles(t) {
		t.Run(name, func(t *testing.T) {
			rendered := mustRender(t, values)
			var all strings.Builder
			for _, path := range slices.Sorted(mapKeys(rendered)) {
				fmt.Fprintf(&all, "---\n# %s\n%s\n", path, strings.TrimSpace(rendered[path]))
			}
			golden := filepath.Join("testdata", "golden", name+".yaml")
			if *update {
				if err := os.WriteFile(golden, []byte(all.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(all.String(), "\n")); diff != "" {
				t.Errorf("differs from %s (-want +got); make chart-golden renews it:\n%s", golden, diff)
			}
		})
	}
}
