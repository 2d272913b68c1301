package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestABackupUnderLoadHoldsWhatWasAnsweredAndRetriesCompleteTheRest takes a backup of a deployment that takes calls meanwhile, restores it
// elsewhere, and then sends everything again there, as senders would do.
func TestABackupUnderLoadHoldsWhatWasAnsweredAndRetriesCompleteTheRest(t *testing.T) {
	onBoth(t, func(t *testing.T, d deployment) {
		send(t, d, "/v1/batch", writeKey, history(1500))
		load := startLoad(d)
		load.waitFor(400)
		answered := load.answered()
		backups := t.TempDir()
		output := sojourn(t, "backup", "-url", d.url(), "-out", backups)
		load.waitFor(len(answered) + 100) // it goes on behind the backup
		load.stop()
		whole := dumpRunning(t, d)

		restored := newDir(t)
		sojourn(t, "restore", "-from", backups, "-data", restored)
		if verdict := sojourn(t, "verify", "-data", restored); verdict != "identity.db: sound\nevents.db: sound\nsessions.db: sound\n" {
			t.Errorf("verify says %s", verdict)
		}
		state := dump(t, "-data", restored)
		for id := range answered {
			if !strings.Contains(state, `"messageId":"`+id+`"`) {
				t.Errorf("%s was answered before the backup and is not in it", id)
			}
		}
		t.Logf("%d calls answered before, %d in all; %s", len(answered), len(load.answered()), output)

		again := startAnother(t, d, restored)
		send(t, again, "/v1/batch", writeKey, history(1500))
		for _, call := range load.all() {
			if a := send(t, again, "/v1/track", writeKey, call); a.status != http.StatusOK {
				t.Errorf("sent again, a call is answered %d %s", a.status, a.body)
			}
		}
		compareDump(t, withoutCorrected(t, whole), withoutCorrected(t, dumpRunning(t, again)))
		again.stop()
		sojourn(t, "verify", "-data", restored)
	})
}

// history is a batch of calls long before the load.
func history(calls int) string {
	var text strings.Builder
	for n := range calls {
		_, _ = fmt.Fprintf(&text, `,{"type":"track","messageId":"old-%d","timestamp":"2026-10-%02dT09:%02d:00Z","anonymousId":"o%d","userId":"u%d","groupId":"g","event":"E"}`,
			n, 1+n%28, n%60, n%50, n%50)
	}
	return `{"batch":[` + text.String()[1:] + `]}`
}

// load sends calls until it is stopped.
type load struct {
	group sync.WaitGroup
	done  chan struct{}

	mutex sync.Mutex
	more  *sync.Cond
	taken map[string]bool   // messageIds answered with 200
	sent  map[string]string // calls by messageId
}

func startLoad(d deployment) *load {
	l := &load{done: make(chan struct{}), taken: map[string]bool{}, sent: map[string]string{}}
	l.more = sync.NewCond(&l.mutex)
	for sender := range 4 {
		l.group.Go(func() {
			for n := range 3600 {
				select {
				case <-l.done:
					return
				default:
				}
				id, call := fmt.Sprintf("m-%d-%d", sender, n), trackCall(sender, n)
				if sender == 0 {
					id, call = fmt.Sprintf("wrong-clock-%d", n), wrongClock(n)
				}
				l.put(d, id, call)
			}
		})
	}
	return l
}

// wrongClock is a call of a client whose clock is a day slow, so that its time depends on when it is received.
func wrongClock(n int) string {
	const layout = "2006-01-02T15:04:05.000Z"
	now := time.Now().UTC().AddDate(0, 0, -1)
	return fmt.Sprintf(`{"messageId":"wrong-clock-%d","timestamp":"%s","sentAt":"%s","anonymousId":"c%d","userId":"c","groupId":"g","event":"E"}`,
		n, now.Add(-time.Minute).Format(layout), now.Format(layout), n)
}

// withoutCorrected is a dump without the lines whose times are those of receipt, but with how often each call is there.
func withoutCorrected(t *testing.T, state string) string {
	t.Helper()
	var kept strings.Builder
	count := map[string]int{}
	for line := range strings.Lines(state) {
		_, id, corrected := strings.Cut(line, `"messageId":"wrong-clock-`)
		switch {
		case corrected:
			count[id[:strings.IndexByte(id, '"')]]++
		case !strings.Contains(line, `"anonymousId":"c`):
			kept.WriteString(line)
		}
	}
	for id, n := range count {
		if n != 1 {
			t.Errorf("call %s of the client with the wrong clock is there %d times", id, n)
		}
	}
	return fmt.Sprintf("%s%d calls of a client with a wrong clock\n", kept.String(), len(count))
}

func (l *load) put(d deployment, id, call string) {
	l.mutex.Lock()
	l.sent[id] = call
	l.mutex.Unlock()
	a, err := trySend(d, "/v1/track", writeKey, call)
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if err == nil && a.status == http.StatusOK {
		l.taken[id] = true
		l.more.Broadcast()
	}
}

// waitFor waits until so many calls have been answered with 200.
func (l *load) waitFor(calls int) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for len(l.taken) < calls {
		l.more.Wait()
	}
}

func (l *load) answered() map[string]bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return maps.Clone(l.taken)
}

func (l *load) all() map[string]string { return l.sent }

func (l *load) stop() {
	close(l.done)
	l.group.Wait()
}

// startAnother starts a deployment of the same kind on another data directory.
func startAnother(t *testing.T, like deployment, dir string) deployment {
	t.Helper()
	if _, alone := like.(*standalone); alone {
		return startStandalone(t, dir)
	}
	return startCluster(t, dir)
}
