package deploy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// These are the places where an operator fell down who did what the docs say.

var services = []string{"identity", "events", "sessions"}

// parsed are values written as in a file.
func parsed(t *testing.T, text string) map[string]any {
	t.Helper()
	var values map[string]any
	if err := yaml.UnmarshalStrict([]byte(text), &values); err != nil {
		t.Fatal(err)
	}
	return values
}

// refuses fails unless rendering fails with all of these words.
func refuses(t *testing.T, values string, in cluster, words ...string) {
	t.Helper()
	_, err := render(parsed(t, values), in, kubernetes(t))
	for _, word := range words {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: error %v, want one with %q", values, err, word)
		}
	}
}

// statefulSet is one that is there.
func statefulSet(policy appsv1.PodManagementPolicyType, size string) *appsv1.StatefulSet {
	s := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "sojourn-events", Namespace: namespace}}
	s.Spec.PodManagementPolicy = policy
	s.Spec.VolumeClaimTemplates = []corev1.PersistentVolumeClaim{{Spec: corev1.PersistentVolumeClaimSpec{
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
		Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)}},
	}}}
	return s
}

func TestEveryPodTakesVolumesContainersAndAPlace(t *testing.T) {
	specs := podSpecs(t, mustRender(t, valuesFiles(t)["everything"]))
	if len(specs) != 6 {
		t.Errorf("%d kinds of pods, want 6", len(specs))
	}
	for name, spec := range specs {
		has := map[string]bool{
			"volume":          slices.ContainsFunc(spec.Volumes, func(v corev1.Volume) bool { return v.Name == "more" }),
			"mount":           slices.ContainsFunc(spec.Containers[0].VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == "more" }),
			"init container":  len(spec.InitContainers) == 1,
			"sidecar":         len(spec.Containers) == 2,
			"environment":     slices.ContainsFunc(spec.Containers[0].Env, func(e corev1.EnvVar) bool { return e.Name == "GOGC" }),
			"node selector":   len(spec.NodeSelector) == 1,
			"tolerations":     len(spec.Tolerations) == 1,
			"affinity":        spec.Affinity != nil,
			"spread":          len(spec.TopologySpreadConstraints) == 1 && spec.TopologySpreadConstraints[0].TopologyKey == "rack",
			"priority":        spec.PriorityClassName == "high",
			"service account": spec.ServiceAccountName == "shared",
		}
		for what, there := range has {
			if !there {
				t.Errorf("%s has no %s", name, what)
			}
		}
	}
}

func TestEveryObjectAndPodHasTheCommonLabelsAndAnnotations(t *testing.T) {
	rendered := mustRender(t, valuesFiles(t)["everything"])
	for _, o := range objects(t, rendered) {
		meta, _ := o["metadata"].(map[string]any)
		if strings.HasSuffix(fmt.Sprint(meta["name"]), "-notes") || strings.HasSuffix(fmt.Sprint(meta["name"]), "-more") {
			continue // extraObjects say their own
		}
		text := fmt.Sprint(meta["labels"], meta["annotations"])
		if !strings.Contains(text, "example.com/cost-centre:success") || !strings.Contains(text, "example.com/owner:platform") {
			t.Errorf("%s %s: %s", o["kind"], meta["name"], text)
		}
	}
	pod := object[appsv1.StatefulSet](t, rendered, "StatefulSet", "sojourn-events").Spec.Template
	if pod.Labels["example.com/cost-centre"] == "" || pod.Labels["example.com/tier"] == "" || pod.Annotations["example.com/scan"] == "" {
		t.Errorf("labels %v, annotations %v", pod.Labels, pod.Annotations)
	}
	if notes := object[corev1.ConfigMap](t, rendered, "ConfigMap", "sojourn-notes"); notes.Data["text"] != "of usage" {
		t.Errorf("an extra object: %v", notes)
	}
	object[corev1.ConfigMap](t, rendered, "ConfigMap", "sojourn-more")
}

func TestAnImageMayComeFromElsewhereAndByDigest(t *testing.T) {
	specs := podSpecs(t, mustRender(t, valuesFiles(t)["everything"]))
	for name, want := range map[string]string{
		"sojourn-gateway":  "mirror.example.com/edge/gatewayd:1.2.4",
		"sojourn-identity": "sojourn/identityd:0.1.0",
		"sojourn-events":   "sojourn/sojourn-eventsd@sha256:" + strings.Repeat("0", 63) + "9",
	} {
		if got := specs[name].Containers[0].Image; got != want {
			t.Errorf("%s runs %s, want %s", name, got, want)
		}
	}
}

func TestAServiceHasTheVolumeThatIsThereAlready(t *testing.T) {
	set := object[appsv1.StatefulSet](t, mustRender(t, valuesFiles(t)["everything"]), "StatefulSet", "sojourn-identity")
	i := slices.IndexFunc(set.Spec.Template.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == "data" })
	if i < 0 || set.Spec.Template.Spec.Volumes[i].PersistentVolumeClaim.ClaimName != "identity-of-before" || len(set.Spec.VolumeClaimTemplates) != 0 {
		t.Errorf("volumes %v, claims %v", set.Spec.Template.Spec.Volumes, set.Spec.VolumeClaimTemplates)
	}
	if probe := set.Spec.Template.Spec.Containers[0].StartupProbe; probe.FailureThreshold != 3600 || probe.PeriodSeconds != 1 {
		t.Errorf("startup probe %+v", probe)
	}
}

func TestASecondPodOfAServiceIsNotReachedAndKnowsItsNumber(t *testing.T) {
	rendered := mustRender(t, nil)
	for _, name := range services {
		for _, service := range []string{"sojourn-" + name, "sojourn-" + name + "-headless"} {
			selector := object[corev1.Service](t, rendered, "Service", service).Spec.Selector
			if selector["statefulset.kubernetes.io/pod-name"] != "sojourn-"+name+"-0" {
				t.Errorf("%s leads to pods with %v", service, selector)
			}
		}
		env := podSpecs(t, rendered)["sojourn-"+name].Containers[0].Env
		if len(env) == 0 || env[0].Name != "SOJOURN_ORDINAL" || !strings.Contains(env[0].ValueFrom.FieldRef.FieldPath, "pod-index") {
			t.Errorf("%s: environment %v", name, env)
		}
	}
}

func TestARollbackReplacesAPodThatNeverBecameReady(t *testing.T) {
	for _, name := range services {
		set := object[appsv1.StatefulSet](t, mustRender(t, nil), "StatefulSet", "sojourn-"+name)
		if set.Spec.PodManagementPolicy != appsv1.ParallelPodManagement {
			t.Errorf("%s: %q", name, set.Spec.PodManagementPolicy)
		}
	}
	refuses(t, "{}", append(fresh(), statefulSet(appsv1.OrderedReadyPodManagement, "10Gi")),
		"kubectl -n usage delete statefulset sojourn-events --cascade=orphan")
}

func TestAVolumeOfAnotherSizeIsAnsweredWithWhatToDo(t *testing.T) {
	there := append(fresh(), statefulSet(appsv1.ParallelPodManagement, "10Gi"))
	refuses(t, "events: {persistence: {size: 20Gi}}", there, "kubectl -n usage patch pvc data-sojourn-events-0", `"storage":"20Gi"`,
		"kubectl -n usage delete statefulset sojourn-events --cascade=orphan")
	refuses(t, "events: {persistence: {storageClass: fast}}", there, `storage class ""`)
	// The pod must go, too: the StatefulSet's controller fails to give it another volume, and never replaces it.
	refuses(t, "events: {persistence: {existingClaim: other}}", there, "kubectl -n usage delete statefulset sojourn-events\nIts pod stops")
	for _, same := range []string{"{}", "events: {persistence: {size: 10240Mi}}", "events: {persistence: {size: 10737418240}}"} {
		if _, err := render(parsed(t, same), there, kubernetes(t)); err != nil {
			t.Errorf("%s: %v", same, err)
		}
	}
}

func TestServicesThatAreRestartedTogetherStopOneAfterTheOtherIdentityLast(t *testing.T) {
	specs := podSpecs(t, mustRender(t, nil))
	var waits []int64
	for _, name := range []string{"events", "sessions", "identity"} {
		spec, wait := specs["sojourn-"+name], int64(0)
		if l := spec.Containers[0].Lifecycle; l != nil {
			wait = l.PreStop.Sleep.Seconds
		}
		if *spec.TerminationGracePeriodSeconds < wait+30 {
			t.Errorf("%s is killed %d s after it was told to stop, and begins with %d s of waiting", name, *spec.TerminationGracePeriodSeconds, wait)
		}
		waits = append(waits, wait)
	}
	if waits[0] != 0 || waits[1] < 5 || waits[2] < waits[1]+5 {
		t.Errorf("events, sessions and identity wait %v s", waits)
	}
	budget := object[policyv1.PodDisruptionBudget](t, mustRender(t, nil), "PodDisruptionBudget", "sojourn-services")
	if budget.Spec.MaxUnavailable.IntValue() != 1 || len(budget.Spec.Selector.MatchExpressions) != 1 {
		t.Errorf("budget %+v", budget.Spec)
	}
}

func TestWithAFileOfOnesOwnNoKeysAreMadeAndThoseOfBackupsAndTestsMustBeNamed(t *testing.T) {
	const foreign = "workspaces: {existingConfigMap: mine}\n"
	refuses(t, foreign, fresh(), "tests.existingSecret", "write-key", "tests.enabled: false")
	refuses(t, foreign+"tests: {enabled: false}\nbackup: {enabled: true}", fresh(), "backup.existingSecret", "admin-token")
	refuses(t, "workspaces: {default: {enabled: false}, list: [{id: a}]}", fresh(), "tests.existingSecret", "workspaces.list")
	rendered, err := render(parsed(t, foreign+"tests: {existingSecret: a}\nbackup: {enabled: true, existingSecret: b}"), fresh(), kubernetes(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects(t, rendered) {
		if meta, _ := o["metadata"].(map[string]any); o["kind"] == "Secret" && meta["name"] != "sojourn-service-token" {
			t.Errorf("a Secret is made: %v", meta)
		}
	}
	specs := podSpecs(t, rendered)
	for pod, secret := range map[string]string{"sojourn-smoke": "a", "sojourn-backup": "b"} {
		if env := specs[pod].Containers[0].Env; env[0].ValueFrom.SecretKeyRef.Name != secret {
			t.Errorf("%s takes its keys from %v", pod, env)
		}
	}
	specs = podSpecs(t, mustRender(t, parsed(t, foreign+"keys: {existingSecret: c}\nbackup: {enabled: true}")))
	for _, pod := range []string{"sojourn-smoke", "sojourn-backup"} {
		if env := specs[pod].Containers[0].Env; env[0].ValueFrom.SecretKeyRef.Name != "c" {
			t.Errorf("%s takes its keys from %v", pod, env)
		}
	}
}

func TestKeysOfTheDefaultWorkspaceOverlapWhileTheyAreRotated(t *testing.T) {
	old := hashed([]byte("write_key_of_before"))
	later := hashed([]byte("write_key_to_come"))
	values := fmt.Sprintf("workspaces: {default: {writeKeys: [%q, %q], queryTokens: [%q]}}", later, old, later)
	text := object[corev1.ConfigMap](t, mustRender(t, parsed(t, values)), "ConfigMap", "sojourn-workspaces").Data["workspaces.yaml"]
	var file workspacesFile
	if err := yaml.Unmarshal([]byte(text), &file); err != nil {
		t.Fatal(err)
	}
	// The one that stands twice stands once in the file, which would be refused otherwise.
	if got, want := file.Workspaces[0].Sources[0].WriteKeys, []string{old, later}; !slices.Equal(got, want) {
		t.Errorf("write keys %v, want %v", got, want)
	}
	if got := file.Workspaces[0].QueryTokens; len(got) != 2 {
		t.Errorf("query tokens %v", got)
	}
}

func TestGeneratedKeysAreRefusedWhereTheyCouldNotBeKept(t *testing.T) {
	offline := cluster{} // as Argo CD and helm template render
	refuses(t, "{}", offline, "keys.existingSecret with keys.hashes", "Argo CD")
	const plain = "keys: {plain: {writeKey: 0123456789abcdef, queryToken: 1123456789abcdef, adminToken: 2123456789abcdef}}\n"
	refuses(t, plain, offline, "serviceToken.existingSecret")
	for _, values := range []string{
		plain + "serviceToken: {plain: 3123456789abcdef}", plain + "serviceToken: {existingSecret: mine}", plain + "serviceToken: {enabled: false}",
		"keys: {generate: always}",
	} {
		if _, err := render(parsed(t, values), offline, kubernetes(t)); err != nil {
			t.Errorf("%s: %v", values, err)
		}
	}
}

func TestPrometheusIsLetInOrTheRenderFails(t *testing.T) {
	refuses(t, "metrics: {serviceMonitor: {enabled: true}}", fresh(), "networkPolicy.monitoring")
	for _, values := range []string{
		"metrics: {serviceMonitor: {enabled: true}}\nnetworkPolicy: {enabled: false}",
		"metrics: {serviceMonitor: {enabled: true}}\nnetworkPolicy: {monitoring: [{namespaceSelector: {}}]}",
	} {
		if _, err := render(parsed(t, values), fresh(), kubernetes(t)); err != nil {
			t.Errorf("%s: %v", values, err)
		}
	}
}

func TestWhereThereIsPrometheusABackupThatFailedIsToldOfByDefault(t *testing.T) {
	const api = "monitoring.coreos.com/v1/PrometheusRule"
	named := func(values string, apis ...string) string {
		rendered, err := render(parsed(t, values), fresh(), kubernetes(t), apis...)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, line := range strings.Split(rendered["sojourn/templates/monitoring.yaml"], "\n") {
			if _, name, ok := strings.Cut(line, "- alert: "); ok {
				names = append(names, name)
			}
		}
		return strings.Join(names, " ")
	}
	if got := named("backup: {enabled: true}", api); got != "SojournDiskFilling SojournBackupFailed" {
		t.Errorf("by default: %s", got)
	}
	if got := named("{}", api); got != "SojournDiskFilling" {
		t.Errorf("without backups: %s", got)
	}
	if got := named("backup: {enabled: true}"); got != "" {
		t.Errorf("without Prometheus: %s", got)
	}
	scraped := "backup: {enabled: true}\nmetrics: {serviceMonitor: {enabled: true}}\nnetworkPolicy: {enabled: false}"
	if got := named(scraped, api); !strings.Contains(got, "SojournDown") || !strings.Contains(got, "SojournBackupFailed") {
		t.Errorf("with a ServiceMonitor: %s", got)
	}
}

func TestPodsReachTheDNSOfOpenShift(t *testing.T) {
	rule := object[networkingv1.NetworkPolicy](t, mustRender(t, nil), "NetworkPolicy", "sojourn-gateway").Spec.Egress[0]
	var ports []string
	for _, p := range rule.Ports {
		ports = append(ports, fmt.Sprint(*p.Protocol, p.Port))
	}
	if got := strings.Join(ports, " "); got != "UDP53 TCP53 UDP5353 TCP5353" {
		t.Errorf("DNS at %s", got)
	}
}

func TestTheScheduleOfBackupsHasATimeZoneAndCanBeSuspended(t *testing.T) {
	spec := object[batchv1.CronJob](t, mustRender(t, valuesFiles(t)["everything"]), "CronJob", "sojourn-backup").Spec
	if *spec.TimeZone != "Europe/Berlin" || !*spec.Suspend {
		t.Errorf("time zone %v, suspended %v", *spec.TimeZone, *spec.Suspend)
	}
}

func TestTheScriptThatRestoresIsInTheRelease(t *testing.T) {
	data := object[corev1.ConfigMap](t, mustRender(t, map[string]any{"backup": map[string]any{"enabled": true}}), "ConfigMap", "sojourn-restore").Data
	if strings.TrimSpace(data["restore.sh"]) != strings.TrimSpace(read(t, "deploy/restore.sh")) {
		t.Error("it is another one than deploy/restore.sh")
	}
}

func TestTheDocsInstallTheTagThatTheMakefileBuilds(t *testing.T) {
	docs, makefile := read(t, "docs/kubernetes.md"), read(t, "Makefile")
	if !strings.Contains(docs, "--set-string image.tag=$(make -s image-tag)") || strings.Contains(docs, "git describe") {
		t.Error("docs/kubernetes.md works a tag out by itself")
	}
	if tag := strings.TrimSpace(run(t, "../..", "make", "-s", "image-tag", "TAG=of-a-changed-tree")); tag != "of-a-changed-tree" {
		t.Errorf("make image-tag prints %q", tag)
	}
	if strings.Count(makefile, ":$(TAG)") < 3 {
		t.Error("images are tagged with something else than $(TAG)")
	}
}

// TestEveryCommandOfTheDocsNamesItsNamespace holds for kubectl, helm and restore.sh in what is to be typed.
func TestEveryCommandOfTheDocsNamesItsNamespace(t *testing.T) {
	typed := 0
	text := strings.ReplaceAll(read(t, "docs/kubernetes.md"), "\\\n", " ")
	for _, line := range strings.Split(text, "\n") {
		command, ok := strings.CutPrefix(line, "$ ")
		if !ok || !strings.Contains(command, "kubectl ") && !strings.Contains(command, "helm ") && !strings.Contains(command, "restore.sh") {
			continue
		}
		typed++
		if !strings.Contains(command, " -n ") && !strings.Contains(command, "--namespace") {
			t.Errorf("no namespace: %s", command)
		}
	}
	if typed < 6 {
		t.Errorf("%d commands", typed)
	}
}
