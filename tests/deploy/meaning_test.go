package deploy_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// workspacesFile is what the processes read.
type workspacesFile struct {
	AdminTokens []string `json:"admin_tokens"`
	Workspaces  []struct {
		ID          string   `json:"id"`
		QueryTokens []string `json:"query_tokens"`
		Sources     []struct {
			ID        string   `json:"id"`
			WriteKeys []string `json:"write_keys"`
		} `json:"sources"`
	} `json:"workspaces"`
}

func hashed(key []byte) string {
	sum := sha256.Sum256(key)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func TestTheConfigMapHoldsTheHashesOfTheKeysInTheSecretAndNotTheKeys(t *testing.T) {
	rendered, err := render(nil, fresh(), kubernetes(t))
	if err != nil {
		t.Fatal(err)
	}
	keys := object[corev1.Secret](t, rendered, "Secret", "sojourn-keys").Data
	text := object[corev1.ConfigMap](t, rendered, "ConfigMap", "sojourn-workspaces").Data["workspaces.yaml"]
	var file workspacesFile
	if err := yaml.Unmarshal([]byte(text), &file); err != nil {
		t.Fatal(err)
	}
	got := []string{file.Workspaces[0].Sources[0].WriteKeys[0], file.Workspaces[0].QueryTokens[0], file.AdminTokens[0]}
	want := []string{hashed(keys["write-key"]), hashed(keys["query-token"]), hashed(keys["admin-token"])}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the file has %v, want %v", got, want)
	}
	for name, key := range keys {
		if len(key) < 32 || strings.Contains(text, string(key)) {
			t.Errorf("%s is short or stands in the ConfigMap", name)
		}
	}
}

func TestGeneratedSecretsAreFreshAtFirstAndStayAtAnUpgrade(t *testing.T) {
	secrets := func(in cluster) string {
		rendered, err := render(nil, in, kubernetes(t))
		if err != nil {
			t.Fatal(err)
		}
		keys := object[corev1.Secret](t, rendered, "Secret", "sojourn-keys").Data
		token := object[corev1.Secret](t, rendered, "Secret", "sojourn-service-token").Data
		return fmt.Sprintf("%s %s %s %s", keys["write-key"], keys["query-token"], keys["admin-token"], token["token"])
	}
	if first, second := secrets(fresh()), secrets(fresh()); first == second {
		t.Errorf("two installations have the same secrets")
	}
	if got, want := secrets(installed()), "write_key_of_before query_token_of_before admin_token_of_before service_token_of_before"; got != want {
		t.Errorf("an upgrade makes %q, want %q", got, want)
	}
}

// podSpecs are those of everything that makes pods.
func podSpecs(t *testing.T, rendered map[string]string) map[string]corev1.PodSpec {
	t.Helper()
	specs := map[string]corev1.PodSpec{}
	for _, o := range objects(t, rendered) {
		kind, _ := o["kind"].(string)
		meta, _ := o["metadata"].(map[string]any)
		name, _ := meta["name"].(string)
		switch kind {
		case "Deployment":
			specs[name] = object[appsv1.Deployment](t, rendered, kind, name).Spec.Template.Spec
		case "StatefulSet":
			specs[name] = object[appsv1.StatefulSet](t, rendered, kind, name).Spec.Template.Spec
		case "CronJob":
			specs[name] = object[batchv1.CronJob](t, rendered, kind, name).Spec.JobTemplate.Spec.Template.Spec
		case "Pod":
			specs[name] = object[corev1.Pod](t, rendered, kind, name).Spec
		}
	}
	return specs
}

func TestEveryPodIsRestrictedAndHasNoTokenAndNoSubPath(t *testing.T) {
	specs := podSpecs(t, mustRender(t, valuesFiles(t)["production"]))
	if len(specs) != 6 {
		t.Errorf("%d kinds of pods, want 6", len(specs))
	}
	for name, spec := range specs {
		security := spec.SecurityContext
		if !*security.RunAsNonRoot || *security.RunAsUser == 0 || security.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
			t.Errorf("%s: %+v", name, security)
		}
		if *spec.AutomountServiceAccountToken {
			t.Errorf("%s has a token", name)
		}
		for _, c := range spec.Containers {
			s := c.SecurityContext
			if *s.AllowPrivilegeEscalation || !*s.ReadOnlyRootFilesystem || fmt.Sprint(s.Capabilities.Drop) != "[ALL]" || len(s.Capabilities.Add) > 0 {
				t.Errorf("%s/%s: %+v", name, c.Name, s)
			}
			if c.Resources.Requests.Cpu().IsZero() || c.Resources.Limits.Memory().IsZero() {
				t.Errorf("%s/%s has no resources", name, c.Name)
			}
			for _, m := range c.VolumeMounts {
				if m.SubPath != "" {
					t.Errorf("%s/%s: changes of %s would not arrive", name, c.Name, m.Name)
				}
			}
		}
	}
}

func TestAGatewayHasTimeToDrain(t *testing.T) {
	spec := podSpecs(t, mustRender(t, map[string]any{"gateway": map[string]any{"drainDelaySeconds": 60}}))["sojourn-gateway"]
	if got := *spec.TerminationGracePeriodSeconds; got <= 60+10 {
		t.Errorf("it is killed after %d seconds", got)
	}
	if args := fmt.Sprint(spec.Containers[0].Args); !strings.Contains(args, "-drain-delay=60s") {
		t.Errorf("arguments %s", args)
	}
}

func TestTheVolumeOfBackupsIsMadeOnceAndIsNoPartOfTheRelease(t *testing.T) {
	values := map[string]any{"backup": map[string]any{"enabled": true}}
	rendered, err := render(values, fresh(), kubernetes(t))
	if err != nil {
		t.Fatal(err)
	}
	claim := object[corev1.PersistentVolumeClaim](t, rendered, "PersistentVolumeClaim", "sojourn-backup")
	if claim.Annotations["helm.sh/hook"] == "" || claim.Annotations["helm.sh/hook-delete-policy"] != "hook-failed" {
		t.Errorf("annotations %v", claim.Annotations)
	}
	claim.Namespace = namespace
	if rendered, err = render(values, append(fresh(), &claim), kubernetes(t)); err != nil {
		t.Fatal(err)
	}
	for _, o := range objects(t, rendered) {
		if o["kind"] == "PersistentVolumeClaim" {
			t.Errorf("it is made again: %v", o)
		}
	}
}
