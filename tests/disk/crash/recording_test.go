package crash

import (
	"encoding/gob"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/sojournhq/sojourn/tests/disk/mounted"
	"github.com/sojournhq/sojourn/tests/disk/volume"
)

const senders = 4

// recording is what a workload did to a volume.
type recording struct {
	Log    []volume.Op
	Before int   // how many operations of the log made what was there before
	Known  known // what was known then
}

// known is how many steps of each sender had been answered and sent at some moment.
type known struct{ Answered, Sent [senders]int }

// see brings up to date what is known with a mark.
func (k *known) see(op volume.Op) {
	if op.Kind != volume.Mark {
		return
	}
	var what string
	var sender, step int
	if _, err := fmt.Sscanf(string(op.Data), "%s %d %d", &what, &sender, &step); err != nil {
		panic(err)
	}
	of := &k.Sent
	if what == "answered" {
		of = &k.Answered
	}
	of[sender] = max(of[sender], step+1)
}

// record makes recordings, each on what a crash left of the one before.
func record(t *testing.T, subject string, seed uint64, rounds, steps int) []recording {
	t.Helper()
	var all []recording
	tree, k := volume.Tree{}, known{}
	for round := range rounds {
		v, log := tree.Load()
		m, err := mounted.New(t.TempDir(), v, mounted.Options{Log: true})
		if err != nil {
			t.Fatal(err)
		}
		w := workload{Subject: subject, Dir: m.Data(), Marks: m.Marks(), Seed: seed, From: slices.Clone(k.Answered[:]), Steps: steps, Openings: 3}
		failed := w.start()
		done, err := m.Unmount()
		if failed != nil || err != nil {
			t.Fatalf("round %d: %v %v", round, failed, err)
		}
		r := recording{Log: append(log, done...), Before: len(log), Known: k}
		all = append(all, r)
		chance := rand.New(rand.NewPCG(seed, uint64(round)))
		tree, k = r.crash(chance, len(log)+len(done)*2/3+chance.IntN(len(done)/3))
	}
	return all
}

// crash returns what a crash after so many operations could leave, and what was known then.
func (r recording) crash(chance *rand.Rand, operations int) (volume.Tree, known) {
	v, k := volume.New(), r.Known
	for _, op := range r.Log[:operations] {
		v.Apply(op)
		k.see(op)
	}
	return v.Crash(chance, volume.AnyLoss(chance)), k
}

// moment says whether a crash after so many operations is worth a look: before a mark, the files are as they are behind it, and what they
// must hold is no more.
func (r recording) moment(operations int) bool {
	return operations >= r.Before && (operations == len(r.Log) || r.Log[operations].Kind != volume.Mark)
}

func save(path string, recordings []recording) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := gob.NewEncoder(f).Encode(recordings); err != nil {
		return err
	}
	return f.Close()
}

func load(path string) (recordings []recording, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return recordings, gob.NewDecoder(f).Decode(&recordings)
}
