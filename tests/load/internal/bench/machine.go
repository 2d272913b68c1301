package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Machine is what was measured on.
type Machine struct {
	Time   time.Time `json:"time"`
	CPUs   int       `json:"cpus"`
	Model  string    `json:"model"`
	Kernel string    `json:"kernel"`
	Go     string    `json:"go"`
	// FsyncMS is how long one more page takes to be on the disk, as half of 200 took at most.
	FsyncMS float64 `json:"fsyncMs"`
}

// Look looks at the machine, and at the disk that a directory is on.
func Look(dir string) (Machine, error) {
	fsync, err := fsyncTime(dir)
	if err != nil {
		return Machine{}, fmt.Errorf("measure the disk: %w", err)
	}
	return Machine{
		Time: time.Now().UTC().Truncate(time.Second), CPUs: runtime.NumCPU(), Model: model(), Kernel: kernel(), Go: runtime.Version(),
		FsyncMS: float64(fsync.Microseconds()) / 1000,
	}, nil
}

func fsyncTime(dir string) (time.Duration, error) {
	path := filepath.Join(dir, "fsync")
	file, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer func() { _, _ = file.Close(), os.Remove(path) }()
	all := make([]time.Duration, 200)
	page := make([]byte, 4096)
	for i := range all {
		if _, err := file.Write(page); err != nil {
			return 0, err
		}
		began := time.Now()
		if err := file.Sync(); err != nil {
			return 0, err
		}
		all[i] = time.Since(began)
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}

// model is the processor as Linux names it; "" if it does not.
func model() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func kernel() string {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
