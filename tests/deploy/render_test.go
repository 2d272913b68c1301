package deploy_test

import (
	"errors"
	"io"
	"iter"
	"maps"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/fake"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"sigs.k8s.io/yaml"
)

const (
	release   = "sojourn"
	namespace = "usage"
)

// cluster is one that has some Secrets, for what the chart looks up.
type cluster []runtime.Object

// GetClientFor implements engine.ClientProvider.
func (c cluster) GetClientFor(apiVersion, kind string) (dynamic.NamespaceableResourceInterface, bool, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), appsv1.AddToScheme(scheme)); err != nil {
		return nil, false, err
	}
	version, err := schema.ParseGroupVersion(apiVersion)
	if err != nil {
		return nil, false, err
	}
	return fake.NewSimpleDynamicClient(scheme, c...).Resource(version.WithResource(strings.ToLower(kind) + "s")), kind != "Namespace", nil
}

// fresh is a cluster in which the chart was never installed.
func fresh() cluster {
	return cluster{&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "default"}}}
}

// installed is a cluster in which the chart was installed before.
func installed() cluster {
	secret := func(name string, data map[string]string) *corev1.Secret {
		s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}, Data: map[string][]byte{}}
		for key, value := range data {
			s.Data[key] = []byte(value)
		}
		return s
	}
	c := fresh()
	for _, fullname := range []string{"sojourn", "usage"} {
		c = append(c,
			secret(fullname+"-keys", map[string]string{
				"write-key": "write_key_of_before", "query-token": "query_token_of_before", "admin-token": "admin_token_of_before",
			}),
			secret(fullname+"-service-token", map[string]string{"token": "service_token_of_before"}))
	}
	return c
}

// render returns what the chart makes of values in a cluster, by template.
func render(values map[string]any, in cluster, version common.KubeVersion, apis ...string) (map[string]string, error) {
	chart, err := loader.LoadDir(chartDir)
	if err != nil {
		return nil, err
	}
	capabilities := common.DefaultCapabilities.Copy()
	capabilities.KubeVersion = version
	capabilities.APIVersions = append(capabilities.APIVersions, apis...)
	all, err := util.ToRenderValues(chart, values, common.ReleaseOptions{Name: release, Namespace: namespace, IsInstall: true}, capabilities)
	if err != nil {
		return nil, err
	}
	rendered, err := engine.RenderWithClientProvider(chart, all, in)
	maps.DeleteFunc(rendered, func(path, text string) bool {
		return strings.HasSuffix(path, ".txt") || strings.TrimSpace(text) == ""
	})
	return rendered, err
}

// mustRender renders for a cluster in which the chart is installed already, so that what it would make up is known.
func mustRender(t *testing.T, values map[string]any) map[string]string {
	t.Helper()
	rendered, err := render(values, installed(), kubernetes(t))
	if err != nil {
		t.Fatal(err)
	}
	return rendered
}

// objects are the Kubernetes objects in what was rendered.
func objects(t *testing.T, rendered map[string]string) []map[string]any {
	t.Helper()
	var all []map[string]any
	for path, text := range rendered {
		for document := range strings.SplitSeq(text, "\n---") {
			var o map[string]any
			if err := yaml.Unmarshal([]byte(document), &o); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if o != nil {
				all = append(all, o)
			}
		}
	}
	return all
}

// object decodes the one object of a kind and name into a T.
func object[T any](t *testing.T, rendered map[string]string, kind, name string) (found T) {
	t.Helper()
	for _, o := range objects(t, rendered) {
		meta, _ := o["metadata"].(map[string]any)
		if o["kind"] != kind || meta["name"] != name {
			continue
		}
		text, err := yaml.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.UnmarshalStrict(text, &found); err != nil {
			t.Fatal(err)
		}
		return found
	}
	t.Fatalf("no %s %s", kind, name)
	return found
}

func mapKeys(m map[string]string) iter.Seq[string] { return maps.Keys(m) }

func readCloser(text string) io.ReadCloser { return io.NopCloser(strings.NewReader(text)) }
