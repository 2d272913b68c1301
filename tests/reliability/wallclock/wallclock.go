// Package wallclock makes programs whose wall clock can be set from outside while they run, without touching the clock of the machine, and without a
// line of them being written for it.
//
// It builds them with a time package whose Now adds what stands in a file that is mapped into memory. So everything in them sees the jump at once,
// between two instructions, as it sees one of the machine's clock; and as then, durations, timers and deadlines go by the monotonic clock and do not.
package wallclock

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Variable is the environment variable that tells a program where its clock's file is.
const Variable = "RELIABILITY_WALL_CLOCK"

// What is changed in time.Now, and what is put beside every main.
const (
	original = "sec, nsec, mono := runtimeNow()\n"
	changed  = original + "\tif WallOffset != nil {\n\t\tsec += *WallOffset\n\t}\n"
	declared = "\n// WallOffset points at the seconds that Now is off by.\nvar WallOffset *int64\n"
	mapping  = `package main

import (
	"os"
	"syscall"
	"time"
	"unsafe"
)

func init() {
	file, err := os.Open(os.Getenv("` + Variable + `"))
	if err != nil {
		panic(err)
	}
	memory, err := syscall.Mmap(int(file.Fd()), 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	time.WallOffset = (*int64)(unsafe.Pointer(&memory[0]))
}
`
)

// Overlay writes into dir what go build -overlay needs to make such programs of the packages main in the source directories mains, and returns the path of
// the file that the flag names. What GOFLAGS lays over the source already stays.
func Overlay(dir string, mains ...string) (string, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("find the standard library: %w", err)
	}
	now := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
	source, err := os.ReadFile(now)
	if err != nil {
		return "", err
	}
	before, after, found := strings.Cut(string(source), "func Now() Time {\n\t"+original)
	if !found {
		return "", errors.New("time.Now is written in another way than this package knows")
	}
	files := map[string]string{now: before + "func Now() Time {\n\t" + changed + after + declared}
	for _, main := range mains {
		path, err := filepath.Abs(filepath.Join(main, "wallclock.go"))
		if err != nil {
			return "", err
		}
		files[path] = mapping
	}
	return write(dir, files)
}

func write(dir string, files map[string]string) (string, error) {
	replace, err := given()
	if err != nil {
		return "", err
	}
	for path, text := range files {
		replace[path] = filepath.Join(dir, fmt.Sprintf("%d.go", len(replace)))
		if err := os.WriteFile(replace[path], []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, overlay, 0o600)
}

// given is what GOFLAGS lays over the source.
func given() (map[string]string, error) {
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for _, flag := range strings.Fields(os.Getenv("GOFLAGS")) {
		path, is := strings.CutPrefix(flag, "-overlay=")
		if !is {
			continue
		}
		text, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(text, &overlay)
		}
		if err != nil {
			return nil, fmt.Errorf("read the overlay of GOFLAGS: %w", err)
		}
	}
	return overlay.Replace, nil
}

// Clock is the wall clock of programs.
type Clock struct {
	// Path is the file that the programs map.
	Path   string
	memory []byte
}

// New makes a clock that is right, in a file at path.
func New(path string) (*Clock, error) {
	if err := os.WriteFile(path, make([]byte, 8), 0o600); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	memory, err := syscall.Mmap(int(file.Fd()), 0, 8, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", path, err)
	}
	return &Clock{Path: path, memory: memory}, nil
}

// Set makes the clock wrong by whole seconds.
func (c *Clock) Set(by time.Duration) {
	binary.NativeEndian.PutUint64(c.memory, uint64(int64(by/time.Second)))
}

// Close gives the memory back. Programs keep the offset that was set last.
func (c *Clock) Close() error { return syscall.Munmap(c.memory) }
