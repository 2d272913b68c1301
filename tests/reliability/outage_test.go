package reliability_test

import (
	"flag"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/tests/reliability/oracle"
	"github.com/sojournhq/sojourn/tests/reliability/sender"
	"github.com/sojournhq/sojourn/tests/reliability/traffic"
)

var outageBatches = flag.Int("batches", 400, "how many batches of about eight calls each kind of deployment is sent")

// When what happens, on the sender's clock.
const (
	outageBegins = 10 * time.Minute
	outageEnds   = outageBegins + 3*time.Hour + 50*time.Minute
	lastBatch    = outageEnds + 20*time.Minute
	everybody    = lastBatch + sender.GivesUpAfter
)

// TestAfterAnOutageOfAlmostFourHoursEverythingIsThereOnce takes the gateway away for 3 h 50 min of the clock of a sender like Segment, and replays
// everything twice when it is over.
func TestAfterAnOutageOfAlmostFourHoursEverythingIsThereOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, programs []string) {
		s := seed(t)
		random := rand.New(rand.NewPCG(s, 2))
		d := deploy(t, programs)
		d.start()
		client := sender.New(d.url(), writeKeys, sender.Limit)
		patient := sender.NewPatient(client, random)
		batches, calls := backlog(s)
		meanwhile := 0
		for _, batch := range batches {
			at := time.Duration(random.Int64N(int64(lastBatch)))
			if at >= outageBegins && at < outageEnds {
				meanwhile++
			}
			patient.Add(at, batch)
		}
		gateway := programs[len(programs)-1]
		for _, step := range []struct {
			until time.Duration
			then  func(string)
		}{{outageBegins, d.down}, {outageEnds, d.up}, {everybody, func(string) {}}} {
			if err := patient.Until(t.Context(), step.until); err != nil {
				t.Fatal(err)
			}
			step.then(gateway)
		}
		t.Logf("%d calls in %d batches, %d of them first sent while the gateway was down; %d attempts failed, %d batches were given up, the oldest was %v old",
			len(calls), len(batches), meanwhile, patient.Failed, patient.GivenUp, patient.Oldest.Round(time.Second))
		if meanwhile < len(batches)/2 || patient.Failed < 5*meanwhile || patient.Oldest < 3*time.Hour+30*time.Minute {
			t.Error("that was no outage to speak of")
		}
		if patient.GivenUp > 0 || patient.Waiting() > 0 {
			t.Errorf("%d batches were given up, %d still wait", patient.GivenUp, patient.Waiting())
		}
		dump := d.dump()
		expect(t, dump, calls)
		for _, again := range []string{"second", "third"} {
			replay(t, client, random, batches)
			if !slices.Equal(d.dump(), dump) {
				t.Errorf("sending everything a %s time changes the dump", again)
			}
		}
		for _, wrong := range client.Seen().Wrong {
			t.Errorf("a wrong answer: %s", wrong)
		}
		d.proveSound(dump)
	})
}

// backlog is what is to be sent, and the calls in it.
func backlog(seed uint64) (batches [][]oracle.Call, calls []oracle.Call) {
	var streams []*traffic.Stream
	for i := range clients {
		streams = append(streams, traffic.New(workspaces[i%len(workspaces)], seed, i, calendar))
	}
	for i := range *outageBatches {
		batches = append(batches, streams[i%clients].Batch(8))
	}
	for _, s := range streams {
		batches = append(batches, s.Rest()...)
		calls = append(calls, s.Calls()...)
	}
	return batches, calls
}

// replay sends everything again, in another order, several batches at once.
func replay(t *testing.T, client *sender.Client, random *rand.Rand, batches [][]oracle.Call) {
	t.Helper()
	again := sender.NewPatient(client, random)
	for _, i := range random.Perm(len(batches)) {
		again.Add(time.Duration(i), batches[i])
	}
	if err := again.Until(t.Context(), everybody); err != nil {
		t.Fatal(err)
	}
	if again.Failed > 0 {
		t.Errorf("%d batches sent again failed", again.Failed)
	}
}
