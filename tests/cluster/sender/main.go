// Command sender sends calls to a gateway as fast as a few senders with pauses do, each again until it is answered 200, as Segment does. It
// notes what else was answered and for how long. Told to stop, it brings its last calls to their end and prints what it has seen.
//
//	sender -url http://gateway -name kill        in the container
//	sender stop                                  in the same container, to end it
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "stop" {
		if err := syscall.Kill(1, syscall.SIGTERM); err != nil {
			fmt.Fprintln(os.Stderr, "sender:", err)
			os.Exit(1)
		}
		return
	}
	url := flag.String("url", "", "the gateway")
	name := flag.String("name", "", "what the calls' ids begin with")
	senders := flag.Int("senders", 6, "how many send at once")
	pause := flag.Duration("pause", 20*time.Millisecond, "pause of each between two calls")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	s := sending{url: *url, name: *name, key: os.Getenv("SOJOURN_WRITE_KEY"), pause: *pause, Calls: make([]int, *senders), Answers: map[string]int{}}
	var group sync.WaitGroup
	for sender := range *senders {
		group.Go(func() { s.send(ctx, sender) })
	}
	group.Wait()
	stop()
	if err := json.NewEncoder(os.Stdout).Encode(&s); err != nil {
		os.Exit(1)
	}
}

// sending is what was sent, and what came of it.
type sending struct {
	url, name, key string
	pause          time.Duration
	mutex          sync.Mutex

	// Calls is how many calls of each sender were answered 200; they are numbered from 0.
	Calls []int
	// Answers counts answers by status, and "lost" where there was none.
	Answers map[string]int
	// LongestMs is the longest time that one sender got nothing but failures.
	LongestMs int64
	// Failures are the first of those that were not 503, and BadRetry counts 503 without Retry-After.
	Failures []string
	BadRetry int
	// Refused counts connections that were refused: there was nobody at the gateway's address.
	Refused int
}

func (s *sending) send(ctx context.Context, sender int) {
	client := &http.Client{Transport: &http.Transport{}, Timeout: 6 * time.Second}
	for n := 0; ctx.Err() == nil; n++ {
		var failing time.Time
		for !s.once(client, sender, n) {
			if failing.IsZero() {
				failing = time.Now()
			}
			time.Sleep(100 * time.Millisecond)
		}
		s.answered(sender, failing)
		time.Sleep(s.pause)
	}
}

// answered notes a 200, and how long it had been waited for.
func (s *sending) answered(sender int, failing time.Time) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.Calls[sender]++
	if s.Calls[sender] == 1 && sender == 0 {
		_, _ = fmt.Println("sending")
	}
	if !failing.IsZero() {
		s.LongestMs = max(s.LongestMs, time.Since(failing).Milliseconds())
	}
}

// once sends a call once and says whether it was answered 200.
func (s *sending) once(client *http.Client, sender, n int) bool {
	at := time.Date(2026, 11, 2, 0, 0, n, 0, time.UTC)
	body, err := json.Marshal(map[string]any{
		"messageId": fmt.Sprintf("%s-%d-%d", s.name, sender, n), "anonymousId": fmt.Sprintf("%s-%d", s.name, sender),
		"userId": fmt.Sprintf("user-%s-%d", s.name, sender), "groupId": "load", "timestamp": at, "event": "Sent",
		"properties": map[string]any{"module": "Load"},
	})
	if err != nil {
		return false
	}
	request, err := http.NewRequest(http.MethodPost, s.url+"/v1/track", bytes.NewReader(body))
	if err != nil {
		return false
	}
	request.Header.Set("Content-Type", "application/json")
	request.SetBasicAuth(s.key, "")
	response, err := client.Do(request)
	if err != nil {
		if errors.Is(err, syscall.ECONNREFUSED) {
			s.mutex.Lock()
			s.Refused++
			s.mutex.Unlock()
		}
		s.note("lost", err.Error())
		return false
	}
	text, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		s.note("lost", err.Error())
		return false
	}
	status := fmt.Sprint(response.StatusCode)
	if response.StatusCode == http.StatusServiceUnavailable && response.Header.Get("Retry-After") == "" {
		s.mutex.Lock()
		s.BadRetry++
		s.mutex.Unlock()
	}
	s.note(status, status+": "+string(text))
	return response.StatusCode == http.StatusOK
}

func (s *sending) note(answer, text string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.Answers[answer]++
	if answer != "200" && answer != "503" && len(s.Failures) < 10 {
		s.Failures = append(s.Failures, time.Now().UTC().Format("15:04:05.000 ")+text)
	}
}
