package deploy

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/sojournhq/sojourn/tests/load/internal/measure"
)

// The workspace that load goes to, its source and its keys. It has no limits of its own, so that nothing of the load is refused.
const (
	Workspace  = "bench"
	Source     = "app"
	WriteKey   = "write-key-of-the-bench"
	QueryToken = "query-token-of-the-bench"

	workspaces = "workspaces: [{id: " + Workspace + ", query_tokens: [" + QueryToken + "], sources: [{id: " + Source +
		", write_keys: [" + WriteKey + "]}]}]\n"
)

// Kind is a way to run a server.
type Kind string

// The ways to run Sojourn; every kind of package limits is one more.
const (
	Standalone    Kind = "sojourn"
	FourProcesses Kind = "four processes"
)

// Programs is where the programs are.
type Programs struct {
	// Dir has sojourn and the four daemons, and Load is this program.
	Dir, Load string
}

// Deployment is a running server.
type Deployment struct {
	// Address is the host and port that takes calls.
	Address string
	// Dir is its data directory; none if it stores nothing.
	Dir string

	processes []*process // the one that takes calls last
}

var (
	standaloneReady = regexp.MustCompile(`^Sojourn is ready on http://(\S+)$`)
	serviceReady    = regexp.MustCompile(`"msg":"ready".*"grpc":"([^"]+)"`)
	gatewayReady    = regexp.MustCompile(`"msg":"ready".*"http":"([^"]+)"`)
	limitReady      = regexp.MustCompile(`^ready on (\S+)$`)
)

// Start starts a server and returns once it is ready. The data directory is made if it is not there; output goes to a file in logs.
func (p Programs) Start(ctx context.Context, kind Kind, dir, logs string) (*Deployment, error) {
	d := &Deployment{Dir: dir}
	var err error
	switch kind {
	case Standalone, FourProcesses:
		if err = prepare(dir); err != nil {
			return nil, err
		}
		if kind == Standalone {
			err = d.add(ctx, filepath.Join(logs, "sojourn.log"), standaloneReady, filepath.Join(p.Dir, "sojourn"),
				"-data", dir, "-listen", "127.0.0.1:0", "-admin-listen", "127.0.0.1:0")
		} else {
			err = p.startFour(ctx, d, logs)
		}
	default:
		d.Dir = ""
		err = d.add(ctx, filepath.Join(logs, "limit.log"), limitReady, p.Load, "limit", "-kind", string(kind))
	}
	if err != nil {
		d.Kill()
		return nil, err
	}
	return d, nil
}

func prepare(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "workspaces.yaml"), []byte(workspaces), 0o600)
}

// startFour starts the services, and then the gateway, which needs their addresses.
func (p Programs) startFour(ctx context.Context, d *Deployment, logs string) error {
	file := filepath.Join(d.Dir, "workspaces.yaml")
	gateway := []string{"-workspaces", file}
	for _, service := range []struct{ name, program string }{{"identity", "identityd"}, {"events", "eventsd"}, {"sessions", "sessionsd"}} {
		args := []string{"-data", d.Dir}
		if service.name != "events" {
			args = append(args, "-workspaces", file)
		}
		if err := p.daemon(ctx, d, logs, serviceReady, service.program, args...); err != nil {
			return err
		}
		gateway = append(gateway, "-"+service.name, d.Address)
	}
	return p.daemon(ctx, d, logs, gatewayReady, "gatewayd", gateway...)
}

func (p Programs) daemon(ctx context.Context, d *Deployment, logs string, ready *regexp.Regexp, name string, args ...string) error {
	args = append(args, "-listen", "127.0.0.1:0", "-admin-listen", "127.0.0.1:0")
	return d.add(ctx, filepath.Join(logs, name+".log"), ready, filepath.Join(p.Dir, name), args...)
}

func (d *Deployment) add(ctx context.Context, log string, ready *regexp.Regexp, program string, args ...string) error {
	process, address, err := start(ctx, log, ready, program, args...)
	if err != nil {
		return err
	}
	d.processes, d.Address = append(d.processes, process), address
	return nil
}

// Server is where the server can be looked at.
func (d *Deployment) Server() measure.Server {
	s := measure.Server{Dir: d.Dir}
	for _, p := range d.processes {
		s.PIDs = append(s.PIDs, p.cmd.Process.Pid)
	}
	return s
}

// Stop stops every process in good order, the one that takes calls first.
func (d *Deployment) Stop() error {
	var failures []error
	for _, p := range slices.Backward(d.processes) {
		failures = append(failures, p.stop())
	}
	return errors.Join(failures...)
}

// Kill ends every process without warning. It may be called after Stop.
func (d *Deployment) Kill() {
	for _, p := range d.processes {
		p.kill()
	}
}
