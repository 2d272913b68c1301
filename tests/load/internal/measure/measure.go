// Package measure drives a server and notes what that took of the machine.
package measure

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sojournhq/sojourn/tests/load/internal/drive"
	"github.com/sojournhq/sojourn/tests/load/internal/proc"
	"github.com/sojournhq/sojourn/tests/load/internal/traffic"
)

// Server is where a server can be looked at: its processes and its data directory, if they are known.
type Server struct {
	PIDs []int
	Dir  string
}

// Measurement is a load with what it took.
type Measurement struct {
	drive.Result

	// Server is what the server's processes used while it was measured; memory is that at the end.
	Server proc.Usage `json:"server"`
	// PerCPUSecond is how many calls the server took in a second of CPU time.
	PerCPUSecond float64 `json:"perCpuSecond"`
	// LoadCPUSeconds is what the generator used beside it.
	LoadCPUSeconds float64          `json:"loadCpuSeconds"`
	Files          map[string]int64 `json:"files,omitempty"`
	FileBytes      int64            `json:"fileBytes"`
}

// Run runs a load and measures the server meanwhile.
func Run(ctx context.Context, stream *traffic.Stream, c drive.Config, s Server) (Measurement, error) {
	var before, after proc.Usage
	var beforeErr, afterErr error
	var own time.Duration
	c.Begin = func() { before, beforeErr = proc.Of(s.PIDs...); own = proc.Own() }
	c.End = func() { after, afterErr = proc.Of(s.PIDs...); own = proc.Own() - own }
	result, err := drive.Run(ctx, stream, c)
	if err := errors.Join(err, beforeErr, afterErr); err != nil {
		return Measurement{}, err
	}
	m := Measurement{Result: result, Server: after, LoadCPUSeconds: own.Seconds()}
	m.Server.CPUSeconds -= before.CPUSeconds
	if m.Server.CPUSeconds > 0 {
		m.PerCPUSecond = float64(m.Calls) / m.Server.CPUSeconds
	}
	if s.Dir != "" {
		m.Files, m.FileBytes, err = proc.Files(s.Dir)
	}
	return m, err
}

// Complete returns an error unless every call that was sent was answered 200 and every request that was due was sent. Only then is it known
// what the server must hold.
func (m *Measurement) Complete() error {
	if m.Failed == 0 && m.Unsent == 0 {
		return nil
	}
	return fmt.Errorf("%d calls were not answered 200, %d requests were not sent: %s", m.Failed, m.Unsent, strings.Join(m.Failures, "; "))
}
