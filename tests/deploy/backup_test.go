package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// backupContainer is what the chart backs up with.
func backupContainer(t *testing.T, values map[string]any) corev1.Container {
	t.Helper()
	values["enabled"] = true
	return podSpecs(t, mustRender(t, map[string]any{"backup": values}))["sojourn-backup"].Containers[0]
}

func TestBackupsAreIncrementalUnlessTheyAreToBeWhole(t *testing.T) {
	args := backupContainer(t, map[string]any{"keep": 3}).Args
	if !slices.Contains(args, "-incremental") || !slices.Contains(args, "-keep=3") {
		t.Errorf("arguments %q", args)
	}
	args = backupContainer(t, map[string]any{"incremental": false}).Args
	if slices.Contains(args, "-incremental") || !slices.Contains(args, "-keep=7") {
		t.Errorf("arguments for whole ones: %q", args)
	}
}

// restoreArgs are those that deploy/restore.sh gives the program to restore a service from the newest backup.
func restoreArgs(t *testing.T, service string) []string {
	t.Helper()
	m := regexp.MustCompile(`args: \[(restore, .*)\]`).FindStringSubmatch(read(t, "deploy/restore.sh"))
	if m == nil {
		t.Fatal("deploy/restore.sh restores nothing")
	}
	return strings.Split(strings.NewReplacer("$backup", "", "$1", service).Replace(m[1]), ", ")
}

// volumes puts directories in the place of what is mounted, and files in the place of the gateway.
func volumes(args []string, backup, data string) (local []string) {
	for _, arg := range args {
		if strings.HasPrefix(arg, "-url=") {
			arg = "-data=/data"
		}
		arg = strings.Replace(arg, "=/backup", "="+backup, 1)
		local = append(local, strings.Replace(arg, "=/data", "="+data, 1))
	}
	return local
}

// run runs a program in a directory, and returns what it prints.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", filepath.Base(name), args, err, out)
	}
	return string(out)
}

// dumped is what a data directory holds.
func dumped(t *testing.T, sojourn, dir string) string {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "workspaces.yaml"), []byte("workspaces: [{id: default}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	return run(t, ".", sojourn, "dump", "-data", dir)
}

// TestWhatTheChartBacksUpIsPutBackByTheScript runs the program with the chart's arguments and with those of the script.
func TestWhatTheChartBacksUpIsPutBackByTheScript(t *testing.T) {
	sojourn := filepath.Join(t.TempDir(), "sojourn")
	run(t, "../../standalone", "go", "build", "-o", sojourn, "./cmd/sojourn")
	data := t.TempDir()
	run(t, ".", sojourn, "restore", "-from", "../e2e/testdata/formats/3", "-data", data)
	for kind, values := range map[string]map[string]any{"incremental": {}, "whole": {"incremental": false}} {
		t.Run(kind, func(t *testing.T) {
			backups, restored := t.TempDir(), t.TempDir()
			run(t, ".", sojourn, volumes(backupContainer(t, values).Args, backups, data)...)
			for _, service := range []string{"identity", "events", "sessions"} {
				run(t, ".", sojourn, volumes(restoreArgs(t, service), backups, restored)...)
			}
			if got, want := dumped(t, sojourn, restored), dumped(t, sojourn, data); got != want || !strings.Contains(want, `"kind":"event"`) {
				t.Errorf("what was put back is\n%s\nwant\n%s", got, want)
			}
			if _, err := os.Stat(filepath.Join(backups, "packs")); (err == nil) != (kind == "incremental") {
				t.Errorf("packs: %v", err)
			}
		})
	}
}

func TestTheScriptFindsInTheChartWhatItAsksFor(t *testing.T) {
	spec := podSpecs(t, mustRender(t, map[string]any{"backup": map[string]any{"enabled": true}}))["sojourn-backup"]
	image, _, _ := strings.Cut(spec.Containers[0].Image, ":")
	i := slices.IndexFunc(spec.Volumes, func(v corev1.Volume) bool { return v.Name == "backup" })
	if i < 0 || spec.Volumes[i].PersistentVolumeClaim == nil || !strings.HasSuffix(image, "/sojourn") {
		t.Errorf("volumes %v, image %s", spec.Volumes, image)
	}
}
