package e2e

import (
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
)

func TestEveryProcessTellsHowItIs(t *testing.T) {
	onBoth(t, func(t *testing.T, d deployment) {
		send(t, d, posted[0].path, writeKey, posted[0].body)
		for _, process := range d.processes() {
			for path, want := range map[string]string{"/livez": "ok", "/readyz": "ok", "/metrics": "go_goroutines"} {
				response, err := http.Get(d.admin(process) + path)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(response.Body)
				_ = response.Body.Close()
				if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
					t.Errorf("%s %s: %s, %v", process, path, response.Status, err)
				}
				if path == "/metrics" && process != "gatewayd" && !strings.Contains(string(body), `grpc_server_handled_total{`) {
					t.Errorf("%s counts no RPCs", process)
				}
			}
		}
	})
}

func TestEveryProgramAsksWhetherItsProcessIsReady(t *testing.T) {
	onBoth(t, func(t *testing.T, d deployment) {
		check := func(program, address string) (int, string) {
			cmd := exec.Command(filepath.Join(binaries, program), "healthcheck", "-admin", address)
			output, _ := cmd.CombinedOutput()
			return cmd.ProcessState.ExitCode(), string(output)
		}
		addresses := map[string]string{}
		for _, program := range d.processes() {
			addresses[program] = strings.TrimPrefix(d.admin(program), "http://")
			if code, says := check(program, addresses[program]); code != 0 {
				t.Errorf("%s runs: exit code %d: %s", program, code, says)
			}
		}
		d.stop()
		for program, address := range addresses {
			if code, says := check(program, address); code != 1 || !strings.Contains(says, "probe: ") {
				t.Errorf("%s is stopped: exit code %d: %s", program, code, says)
			}
		}
	})
}

func TestEveryServiceCanBeLookedIntoOverGRPC(t *testing.T) {
	c := startCluster(t, newDir(t))
	for process, service := range map[string]string{
		"identityd": "sojourn.identity.v1", "eventsd": "sojourn.events.v1", "sessionsd": "sojourn.sessions.v1",
	} {
		conn, err := grpc.NewClient(c.address[process], grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		health, err := healthpb.NewHealthClient(conn).Check(t.Context(), &healthpb.HealthCheckRequest{})
		if err != nil || health.GetStatus() != healthpb.HealthCheckResponse_SERVING {
			t.Errorf("%s: health %v, %v", process, health, err)
		}
		stream, err := reflectionpb.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Send(&reflectionpb.ServerReflectionRequest{
			MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{ListServices: ""},
		}); err != nil {
			t.Fatal(err)
		}
		answer, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, s := range answer.GetListServicesResponse().GetService() {
			names = append(names, s.GetName())
		}
		for _, want := range []string{service + ".IngestService", service + ".QueryService", "grpc.health.v1.Health"} {
			if !slices.Contains(names, want) {
				t.Errorf("%s shows %v, want %s", process, names, want)
			}
		}
	}
}
