// Package proc reads from Linux's /proc what processes have used.
package proc

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Usage is what processes have used together.
type Usage struct {
	CPUSeconds float64 `json:"cpuSeconds"`
	// RSSBytes is what is resident, of that AnonBytes memory of their own: the rest is files mapped into memory, which the kernel takes back
	// when it needs to. PeakBytes is the most that was resident.
	RSSBytes  int64 `json:"rssBytes"`
	AnonBytes int64 `json:"anonBytes"`
	PeakBytes int64 `json:"peakBytes"`
}

// Of returns what the processes have used until now.
func Of(pids ...int) (Usage, error) {
	var sum Usage
	for _, pid := range pids {
		cpu, err := cpuSeconds(pid)
		if err != nil {
			return Usage{}, err
		}
		sum.CPUSeconds += cpu
		status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
		if err != nil {
			return Usage{}, err
		}
		for line := range strings.Lines(string(status)) {
			name, value, _ := strings.Cut(line, ":")
			into := map[string]*int64{"VmRSS": &sum.RSSBytes, "RssAnon": &sum.AnonBytes, "VmHWM": &sum.PeakBytes}[name]
			if into == nil {
				continue
			}
			kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			if err != nil {
				return Usage{}, fmt.Errorf("read %s of process %d: %w", name, pid, err)
			}
			*into += kilobytes << 10
		}
	}
	return sum, nil
}

// ticks is how many of the units of /proc/PID/stat are in a second: on Linux always that, to programs.
const ticks = 100

func cpuSeconds(pid int) (float64, error) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, err
	}
	_, behind, found := strings.Cut(string(text), ") ") // the name before it may hold spaces
	fields := strings.Fields(behind)
	if !found || len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat is not understood", pid)
	}
	user, userErr := strconv.ParseInt(fields[11], 10, 64)
	system, systemErr := strconv.ParseInt(fields[12], 10, 64)
	return float64(user+system) / ticks, errors.Join(userErr, systemErr)
}

// Own is the CPU time that this process has used.
func Own() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// Files is how much a directory's files take on disk, by name, with those of the directories within.
func Files(dir string) (sizes map[string]int64, total int64, err error) {
	sizes = map[string]int64{}
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return ignoreGone(err)
		}
		info, err := entry.Info()
		if err != nil {
			return ignoreGone(err)
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			name, _ := filepath.Rel(dir, path)
			sizes[name] = stat.Blocks * 512
			total += sizes[name]
		}
		return nil
	})
	return sizes, total, err
}

// ignoreGone is the error, unless it says that a file is gone: a server removes files while they are looked at.
func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
