package deploy_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
	corev1 "k8s.io/api/core/v1"
)

// tilt stands in for what the Tiltfile uses of Tilt, and notes what it is told.
type tilt struct {
	t      *testing.T
	called map[string][]call
}

// call is one call of a function: its arguments by name, the first ones by position.
type call map[string]starlark.Value

// evaluate runs the Tiltfile.
func evaluate(t *testing.T) *tilt {
	t.Helper()
	tf := &tilt{t: t, called: map[string][]call{}}
	globals := starlark.StringDict{
		"docker_build":        tf.builtin("docker_build", "ref", "context"),
		"sync":                tf.builtin("sync", "local", "remote"),
		"run":                 tf.builtin("run", "cmd"),
		"helm":                tf.builtin("helm", "path"),
		"k8s_yaml":            tf.builtin("k8s_yaml", "yaml"),
		"k8s_resource":        tf.builtin("k8s_resource", "name"),
		"local_resource":      tf.builtin("local_resource", "name", "cmd"),
		"TRIGGER_MODE_MANUAL": starlark.String("manual"),
	}
	thread := &starlark.Thread{Name: "Tiltfile", Load: func(_ *starlark.Thread, module string) (starlark.StringDict, error) {
		return nil, fmt.Errorf("%s: an extension may be another one tomorrow", module)
	}}
	options := &syntax.FileOptions{TopLevelControl: true, GlobalReassign: true}
	if _, err := starlark.ExecFileOptions(options, thread, "../../Tiltfile", nil, globals); err != nil {
		t.Fatal(err)
	}
	return tf
}

// builtin is a function of Tilt with names for its arguments by position.
func (tf *tilt) builtin(name string, positional ...string) *starlark.Builtin {
	return starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		c := call{}
		if len(args) > len(positional) {
			return nil, fmt.Errorf("%s: %d arguments by position", name, len(args))
		}
		for i, arg := range args {
			c[positional[i]] = arg
		}
		for _, pair := range kwargs {
			key, _ := starlark.AsString(pair[0])
			c[key] = pair[1]
		}
		tf.called[name] = append(tf.called[name], c)
		return starlark.String(name), nil
	})
}

func (c call) text(key string) string {
	s, _ := starlark.AsString(c[key])
	return s
}

func (c call) list(key string) []string {
	var all []string
	if list, ok := c[key].(*starlark.List); ok {
		for i := range list.Len() {
			s, _ := starlark.AsString(list.Index(i))
			all = append(all, s)
		}
	}
	return all
}

// names are those of what was declared by calls of a function.
func (tf *tilt) names(function string) []string {
	var all []string
	for _, c := range tf.called[function] {
		all = append(all, c.text("name"))
	}
	return all
}

func TestTiltBuildsEveryImageOfTheChartAndExchangesItsProgram(t *testing.T) {
	tf := evaluate(t)
	wanted := map[string]bool{}
	for _, spec := range podSpecs(t, mustRender(t, valuesFiles(t)["development"])) {
		for _, c := range spec.Containers {
			wanted[strings.TrimSuffix(c.Image, ":latest")] = true
		}
	}
	delete(wanted, "sojourn/sojourn") // of the helm test's pod, which Tilt leaves out; the button does the same from outside
	built := map[string]bool{}
	for i, c := range tf.called["docker_build"] {
		built[c.text("ref")] = true
		sync, again := tf.called["sync"][i], tf.called["run"][i].text("cmd")
		entrypoint := []string{"/sojourn/restart", sync.text("remote")}
		if again != entrypoint[0]+" again" || !slices.Contains(c.list("only"), "restart") {
			t.Errorf("%s: nothing starts it again: %s, with %v", c.text("ref"), again, c.list("only"))
		}
		if local := c.text("context") + "/" + c.list("only")[0]; local != sync.text("local") || !tf.makes(local) {
			t.Errorf("%s: nobody makes %s or %s", c.text("ref"), local, sync.text("local"))
		}
		if text := read(t, c.text("dockerfile")); !strings.Contains(text, fmt.Sprintf("ENTRYPOINT [%q, %q]", entrypoint[0], entrypoint[1])) {
			t.Errorf("%s: another entrypoint in %s", c.text("ref"), c.text("dockerfile"))
		}
	}
	if diff := cmp.Diff(wanted, built); diff != "" {
		t.Errorf("images of the chart (-) and of the Tiltfile (+): %s", diff)
	}
}

// makes says whether a resource compiles a file, and anew whenever any module changes.
func (tf *tilt) makes(file string) bool {
	for _, c := range tf.called["local_resource"] {
		deps := c.list("deps")
		if strings.Contains(c.text("cmd"), " "+file+" ") && slices.Contains(deps, "gateway") && slices.Contains(deps, "internal") {
			return true
		}
	}
	return false
}

func TestTiltForwardsPortsThatTheWorkloadsHave(t *testing.T) {
	tf := evaluate(t)
	specs := podSpecs(t, mustRender(t, valuesFiles(t)["development"]))
	local := map[string]bool{}
	for _, c := range tf.called["k8s_resource"] {
		spec, ok := specs[c.text("name")]
		if !ok {
			t.Errorf("no workload %s", c.text("name"))
			continue
		}
		for _, forward := range c.list("port_forwards") {
			from, to, _ := strings.Cut(forward, ":")
			if local[from] {
				t.Errorf("port %s is forwarded twice", from)
			}
			local[from] = true
			if !slices.ContainsFunc(spec.Containers[0].Ports, func(p corev1.ContainerPort) bool { return fmt.Sprint(p.ContainerPort) == to }) {
				t.Errorf("%s has no port %s", c.text("name"), to)
			}
		}
	}
	for _, port := range []string{"8080", "8081", "9001", "9002", "9003"} {
		if !local[port] {
			t.Errorf("port %s is not forwarded", port)
		}
	}
}

func TestTiltWaitsForWhatThereIsAndRunsTheSmokeTestAndTheDemoByItself(t *testing.T) {
	tf := evaluate(t)
	resources := append(tf.names("local_resource"), tf.names("k8s_resource")...)
	for _, c := range append(tf.called["local_resource"], tf.called["k8s_resource"]...) {
		for _, dep := range c.list("resource_deps") {
			if !slices.Contains(resources, dep) {
				t.Errorf("%s waits for %s, which is not there", c.text("name"), dep)
			}
		}
	}
	itself := map[string]bool{}
	for _, c := range tf.called["local_resource"] {
		itself[c.text("name")] = c["auto_init"] != starlark.False
		if target, ok := strings.CutPrefix(c.text("cmd"), "make "); ok && !strings.Contains(read(t, "Makefile"), "\n"+target+":") {
			t.Errorf("%s: no make target %s", c.text("name"), target)
		}
	}
	want := map[string]bool{
		"protos": true, "compile-gatewayd": true, "compile-identityd": true, "compile-eventsd": true, "compile-sessionsd": true,
		"smoke": true, "demo": true, "test": false, "lint": false, "chart": false,
	}
	if diff := cmp.Diff(want, itself); diff != "" {
		t.Errorf("what runs by itself (-want +got): %s", diff)
	}
}

func TestTiltInstallsTheChartWithTheKeysThatTheDemoUses(t *testing.T) {
	tf := evaluate(t)
	chart := tf.called["helm"][0]
	if chart.text("path") != "deploy/helm/sojourn" || chart.text("name") != release {
		t.Errorf("installs %v", chart)
	}
	values := read(t, chart.list("values")[0])
	for _, c := range tf.called["local_resource"] {
		if name := c.text("name"); name != "demo" && name != "smoke" {
			continue
		}
		for _, word := range strings.Fields(c.text("cmd")) {
			if _, key, ok := strings.Cut(word, "="); ok && !strings.Contains(values, key) {
				t.Errorf("%s uses %s, which is not in the values", c.text("name"), key)
			}
		}
	}
}

// read returns a file of the repository.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile("../../" + path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestTheProgramIsStartedAgainWhenItWasExchanged runs what the development images begin with, with a program that says its version and waits.
func TestTheProgramIsStartedAgainWhenItWasExchanged(t *testing.T) {
	restart, err := filepath.Abs("../../deploy/docker/restart")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	app := filepath.Join(dir, "app")
	exchange := func(version string) {
		text := "#!/bin/sh\ntrap 'exit 0' TERM\necho " + version + " \"$@\"\nwhile :; do sleep 0.02; done\n"
		if err := os.WriteFile(app+".new", []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(app+".new", app); err != nil {
			t.Fatal(err)
		}
	}
	exchange("one")
	cmd := exec.Command(restart, app, "-flag")
	cmd.Env = append(os.Environ(), "RESTART_STATE="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	expect := func(want string) {
		t.Helper()
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("it prints %q, want %q", lines.Text(), want)
		}
	}
	expect("one -flag")
	exchange("two")
	again := exec.Command(restart, "again")
	again.Env = cmd.Env
	if text, err := again.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	expect("two -flag")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("told to stop, it ends with %v", err)
	}
}

func TestEachLoadOfTheTiltfileMakesTheSameSecrets(t *testing.T) {
	load := func() string {
		rendered, err := render(valuesFiles(t)["development"], cluster{}, kubernetes(t)) // Tilt does not ask the cluster
		if err != nil {
			t.Fatal(err)
		}
		return rendered["sojourn/templates/secrets.yaml"]
	}
	if first, second := load(), load(); first != second || !strings.Contains(first, "sojourn-service-token") {
		t.Errorf("first\n%s\nthen\n%s", first, second)
	}
}
