package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

const (
	senders   = 8
	callsEach = 120
)

// TestWhatWasAnsweredWith200SurvivesKillingEveryProcess sends calls as fast as they are answered, kills one process after the other
// meanwhile, and sends again what got no 200, as Segment does.
func TestWhatWasAnsweredWith200SurvivesKillingEveryProcess(t *testing.T) {
	onBoth(t, func(t *testing.T, d deployment) {
		var group sync.WaitGroup
		progress := make(chan struct{}, senders*callsEach)
		failures := make(chan int, senders)
		var restart sync.RWMutex // held for writing while a process is down, so that the address is not read meanwhile
		for sender := range senders {
			group.Go(func() {
				failed := 0
				for n := range callsEach {
					for !answered200(d, &restart, trackCall(sender, n)) {
						failed++
					}
					progress <- struct{}{}
				}
				failures <- failed
			})
		}
		for i, process := range append(d.processes(), d.processes()...) {
			for range senders * callsEach / 10 { // let some of the load pass between two kills
				<-progress
			}
			t.Logf("kill %d: %s", i+1, process)
			restart.Lock()
			d.kill(process)
			restart.Unlock()
		}
		group.Wait()
		failed := 0
		for range senders {
			failed += <-failures
		}
		t.Logf("%d calls, %d attempts without a 200", senders*callsEach, failed)

		state := dumpRunning(t, d)
		for sender := range senders {
			for n := range callsEach {
				if got := strings.Count(state, fmt.Sprintf(`"messageId":"m-%d-%d"`, sender, n)); got != 1 {
					t.Errorf("call %d of sender %d is there %d times", n, sender, got)
				}
			}
			// Calls one second apart are one session, however often its service died.
			want := fmt.Sprintf(`"anonymousId":"s%d","start":"2026-11-02T09:00:00.000Z","end":"2026-11-02T09:01:59.000Z"`, sender)
			if !strings.Contains(state, want) || !strings.Contains(state, fmt.Sprintf(`"durationMs":%d`, (callsEach-1)*1000)) {
				t.Errorf("the session of sender %d is not whole", sender)
			}
		}
		want := fmt.Sprintf(`"type":"track","accepted":%d,"rejected":0`, senders*callsEach)
		if !strings.Contains(state, want) {
			t.Errorf("the books lack %s", want)
		}
		d.stop()
		compareDump(t, state, dumpStopped(t, d))
	})
}

func trackCall(sender, n int) string {
	return fmt.Sprintf(`{"messageId":"m-%d-%d","timestamp":"2026-11-02T09:%02d:%02dZ","anonymousId":"s%d","userId":"u%d","groupId":"g","event":"E"}`,
		sender, n, n/60, n%60, sender, sender)
}

// answered200 sends a call once. Whatever a dying process does to the connection counts as no.
func answered200(d deployment, restart *sync.RWMutex, call string) bool {
	restart.RLock()
	url := d.url()
	restart.RUnlock()
	a, err := trySend(at(url), "/v1/track", writeKey, call)
	return err == nil && a.status == http.StatusOK
}

// at is a deployment of which only the address is known.
type at string

func (a at) url() string       { return string(a) }
func (at) processes() []string { return nil }
func (at) admin(string) string { return "" }
func (at) kill(string)         {}
func (at) down(string)         {}
func (at) up(string)           {}
func (at) stop()               {}
func (at) dir() string         { return "" }
