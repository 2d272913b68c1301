package notice_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/gateway/internal/notice"
)

// lines is a log whose lines can be taken out.
type lines struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.Write(p)
}

// take returns the lines since it was last asked, as "source code count".
func (l *lines) take(t *testing.T) (all []string) {
	t.Helper()
	synctest.Wait()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for line := range strings.Lines(l.text.String()) {
		var m struct {
			Level, Source, Code string
			Count               int
		}
		if err := json.Unmarshal([]byte(line), &m); err != nil || m.Level != "WARN" {
			t.Errorf("%v in %s", err, line)
		}
		all = append(all, fmt.Sprint(m.Source, " ", m.Code, " ", m.Count))
	}
	l.text.Reset()
	return all
}

func of(source, code string, count int) notice.Notice {
	return notice.Notice{Subject: notice.Subject{Message: "calls are rejected", Workspace: "w", Source: source, Code: code}, Count: count}
}

func within(t *testing.T, test func(t *testing.T, n *notice.Log, out *lines)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		out := &lines{}
		n := notice.New(slog.New(slog.NewJSONHandler(out, nil)))
		test(t, n, out)
		n.Close()
	})
}

func expect(t *testing.T, out *lines, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, out.take(t)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestTheFirstRefusalIsToldAtOnceAndThenAtMostOneLineAMinuteWithTheCountSince(t *testing.T) {
	within(t, func(t *testing.T, n *notice.Log, out *lines) {
		n.Add(t.Context(), of("web", "a", 7))
		expect(t, out, "web a 7")
		for range 59 {
			time.Sleep(time.Second)
			n.Add(t.Context(), of("web", "a", 2))
		}
		expect(t, out)
		time.Sleep(time.Second)
		expect(t, out, "web a 118") // also when nothing more comes
		time.Sleep(time.Second / 2) // so that none comes in the very moment of a line
		for range 3 * 60 {
			n.Add(t.Context(), of("web", "a", 1))
			time.Sleep(time.Second)
		}
		expect(t, out, "web a 60", "web a 60", "web a 60")
	})
}

func TestWhatStoppedIsForgottenAndToldAtOnceWhenItBeginsAgain(t *testing.T) {
	within(t, func(t *testing.T, n *notice.Log, out *lines) {
		n.Add(t.Context(), of("web", "a", 1))
		time.Sleep(notice.Every - 1)
		n.Add(t.Context(), of("web", "a", 1))
		expect(t, out, "web a 1")
		time.Sleep(time.Hour)
		expect(t, out, "web a 1")
		n.Add(t.Context(), of("web", "a", 3))
		expect(t, out, "web a 3")
	})
}

func TestEachSourceAndCodeHasItsOwnLines(t *testing.T) {
	within(t, func(t *testing.T, n *notice.Log, out *lines) {
		for range 2 {
			n.Add(t.Context(), of("web", "a", 1))
			n.Add(t.Context(), of("web", "b", 1))
			n.Add(t.Context(), of("app", "a", 1))
			other := of("web", "a", 1)
			other.Workspace = "other"
			n.Add(t.Context(), other)
			dropped := of("web", "a", 1)
			dropped.Message = "calls are dropped"
			n.Add(t.Context(), dropped)
		}
		expect(t, out, "web a 1", "web b 1", "app a 1", "web a 1", "web a 1")
	})
}

func TestMoreSubjectsThanAreToldApartAreToldTogether(t *testing.T) {
	within(t, func(t *testing.T, n *notice.Log, out *lines) {
		for i := range notice.MaxSubjects {
			n.Add(t.Context(), of("web", fmt.Sprint(i), 1))
		}
		if got := len(out.take(t)); got != notice.MaxSubjects {
			t.Fatalf("%d lines", got)
		}
		for i := range 10_000 {
			n.Add(t.Context(), of(fmt.Sprint("more", i), "a", 1))
		}
		n.Add(t.Context(), of("web", "0", 1)) // is told apart still
		expect(t, out, " others 1")
		time.Sleep(notice.Every)
		got := out.take(t)
		if diff := cmp.Diff(map[string]bool{"web 0 1": true, " others 9999": true}, map[string]bool{got[0]: true, got[1]: true}); diff != "" || len(got) != 2 {
			t.Errorf("lines %v:\n%s", got, diff)
		}
		time.Sleep(notice.Every) // all are forgotten
		n.Add(t.Context(), of("more1", "a", 1))
		expect(t, out, "more1 a 1")
	})
}

func TestWhatIsLeftIsToldInTheEndAndNothingAfterIt(t *testing.T) {
	within(t, func(t *testing.T, n *notice.Log, out *lines) {
		n.Add(t.Context(), of("web", "a", 1))
		n.Add(t.Context(), of("app", "a", 1))
		n.Add(t.Context(), of("web", "a", 5))
		expect(t, out, "web a 1", "app a 1")
		n.Close()
		expect(t, out, "web a 5")
		n.Add(t.Context(), of("web", "a", 1))
		time.Sleep(time.Hour)
		expect(t, out)
	})
}

func TestALineSaysWhatToFixAndWhatShowsIt(t *testing.T) {
	within(t, func(t *testing.T, n *notice.Log, out *lines) {
		one := of("web", "a", 1)
		one.Reason, one.Command = "send a time", "sojourn rejected -source web"
		n.Add(t.Context(), one)
		n.Add(t.Context(), notice.Notice{Subject: notice.Subject{Message: "requests are refused", Code: "key_unknown"}, Count: 2})
		out.mutex.Lock()
		defer out.mutex.Unlock()
		for _, want := range []string{
			`"msg":"calls are rejected","workspace":"w","source":"web","code":"a","reason":"send a time","command":"sojourn rejected -source web","count":1}`,
			`"msg":"requests are refused","code":"key_unknown","count":2}`,
		} {
			if !strings.Contains(out.text.String(), want) {
				t.Errorf("no %s in\n%s", want, &out.text)
			}
		}
	})
}

func TestManyMayAddAtOnce(t *testing.T) {
	within(t, func(t *testing.T, n *notice.Log, out *lines) {
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				for i := range 100 {
					n.Add(t.Context(), of("web", fmt.Sprint(i%2), 1))
				}
			})
		}
		all.Wait()
		time.Sleep(notice.Every)
		got := out.take(t)
		if len(got) != 4 || got[2][:6] == got[3][:6] || !strings.HasSuffix(got[2], " 2499") || !strings.HasSuffix(got[3], " 2499") {
			t.Errorf("lines %v", got)
		}
	})
}
