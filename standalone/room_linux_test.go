package standalone_test

import (
	"fmt"
	"math"
	"net/http"
	"syscall"
	"testing"

	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	"github.com/sojournhq/sojourn/standalone"
)

// uses returns how many uses there are.
func (m *mappable) uses() int {
	m.t.Helper()
	found, err := eventsv1.NewQueryServiceClient(m.suite.Backends().Events).ListEvents(m.t.Context(), &eventsv1.ListEventsRequest{Workspace: "w"})
	if err != nil {
		m.t.Fatal(err)
	}
	return len(found.GetEvents())
}

// mustAnswer sends each body and wants an answer with this status.
func (m *mappable) mustAnswer(status int, path string, bodies ...string) {
	m.t.Helper()
	for _, body := range bodies {
		if got, text := m.send(path, body); got != status {
			m.t.Errorf("%s: %d %s, want %d", body, got, text, status)
		}
	}
}

// trackOf, deletionOf and rejected are calls; deletions are of a later time.
func trackOf(user, id string) string {
	return fmt.Sprintf(`{"type":"track","messageId":"%s","timestamp":"2026-11-01T10:00:00Z","anonymousId":"a","userId":"%s","event":"E"}`, id, user)
}

func deletionOf(user, id string) string {
	return fmt.Sprintf(`{"type":"delete","messageId":"%s","timestamp":"2026-11-02T10:00:00Z","userId":"%s"}`, id, user)
}

const rejected = `{"type":"track","messageId":"r","timestamp":"2026-11-01T10:00:00Z"}`

// TestDeleteCallsAreTakenOnADiskThatIsFullButForTheReserve has a reserve that is larger than what is free: half of it is left then, and with
// one that has no end less than any part.
func TestDeleteCallsAreTakenOnADiskThatIsFullButForTheReserve(t *testing.T) {
	dir := t.TempDir()
	t.Run("while there is room", func(t *testing.T) {
		m := runIn(t, standalone.Config{Dir: dir}, "")
		m.mustAnswer(http.StatusOK, "/v1/track", trackOf("ada", "1"), trackOf("bob", "2"), trackOf("eve", "3"), trackOf("joe", "4"))
	})
	var disk syscall.Statfs_t
	if err := syscall.Statfs(dir, &disk); err != nil {
		t.Fatal(err)
	}
	t.Run("in the reserve", func(t *testing.T) {
		m := runIn(t, standalone.Config{Dir: dir, ReserveBytes: 2 * int64(disk.Bavail) * disk.Bsize}, "")
		m.mustAnswer(http.StatusServiceUnavailable, "/v1/track", trackOf("ada", "5"))
		m.mustAnswer(http.StatusServiceUnavailable, "/v1/batch",
			`{"batch":[`+deletionOf("joe", "6")+`,`+trackOf("ada", "7")+`]}`, `{"batch":[`+deletionOf("joe", "8")+`,`+rejected+`]}`)
		if got := m.uses(); got != 4 {
			t.Errorf("%d uses are left before anything is deleted, want 4", got)
		}
		m.mustAnswer(http.StatusOK, "/v1/delete", deletionOf("ada", "9"), deletionOf("ada", "9"))
		m.mustAnswer(http.StatusOK, "/v1/batch", `{"batch":[`+deletionOf("bob", "10")+`,`+deletionOf("eve", "11")+`]}`)
		if got := m.uses(); got != 1 {
			t.Errorf("%d uses are left, want 1", got)
		}
	})
	t.Run("in what is kept of it", func(t *testing.T) {
		m := runIn(t, standalone.Config{Dir: dir, ReserveBytes: math.MaxInt64}, "")
		m.mustAnswer(http.StatusServiceUnavailable, "/v1/delete", deletionOf("joe", "12"))
	})
}
