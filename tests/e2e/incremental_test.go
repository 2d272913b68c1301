package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestTwoIncrementalBackupsUnderLoadAreEachWhatWasAnswered takes two incremental backups of a deployment that takes calls meanwhile, and a
// third when it is at rest, and restores each elsewhere.
func TestTwoIncrementalBackupsUnderLoadAreEachWhatWasAnswered(t *testing.T) {
	onBoth(t, func(t *testing.T, d deployment) {
		if got := send(t, d, "/v1/batch", writeKey, history(1500)); got.status != http.StatusOK {
			t.Fatalf("answered %d %s", got.status, got.body)
		}
		backups := t.TempDir()
		load := startLongLoad(d)
		var taken []string
		var answered []map[string]bool
		take := func() {
			for second := time.Now().Unix(); len(taken) > 0 && time.Now().Unix() == second; time.Sleep(10 * time.Millisecond) {
				continue // backups are named after the second that they begin in
			}
			answered = append(answered, load.answered())
			lines := strings.Split(strings.TrimSpace(sojourn(t, "backup", "-incremental", "-url", d.url(), "-out", backups)), "\n")
			taken = append(taken, lines[len(lines)-1])
		}
		for range 2 {
			load.waitFor(len(load.answered()) + 200)
			take()
		}
		load.waitFor(len(load.answered()) + 50) // it goes on behind them
		load.stop()
		whole := dumpRunning(t, d)
		take()
		if said := sojourn(t, "restore", "-check", "-from", backups); said != "3 backups are sound\n" {
			t.Errorf("checking them says %s", said)
		}
		var states []string
		for i, from := range taken {
			restored := newDir(t)
			sojourn(t, "restore", "-from", from, "-data", restored)
			sojourn(t, "verify", "-data", restored)
			states = append(states, dump(t, "-data", restored))
			for id := range answered[i] {
				if !strings.Contains(states[i], `"messageId":"`+id+`"`) {
					t.Errorf("%s was answered before backup %d and is not in it", id, i+1)
				}
			}
		}
		compareDump(t, whole, states[2])
		again := newDir(t) // an older one can be had as often as one likes
		sojourn(t, "restore", "-from", taken[0], "-data", again)
		compareDump(t, states[0], dump(t, "-data", again))
		if states[0] == states[1] || states[1] == states[2] {
			t.Error("two backups between which calls were answered have the same")
		}
	})
}

// startLongLoad is startLoad with calls for longer than any test lasts, of one day.
func startLongLoad(d deployment) *load {
	l := &load{done: make(chan struct{}), taken: map[string]bool{}, sent: map[string]string{}}
	l.more = sync.NewCond(&l.mutex)
	for sender := range 4 {
		l.group.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-l.done:
					return
				default:
				}
				id := fmt.Sprintf("m-%d-%d", sender, n)
				l.put(d, id, fmt.Sprintf(`{"messageId":"%s","timestamp":"2026-11-02T%02d:%02d:%02dZ","anonymousId":"s%d","userId":"u%d","groupId":"g","event":"E"}`,
					id, n/3600%24, n/60%60, n%60, sender, sender))
			}
		})
	}
	return l
}
