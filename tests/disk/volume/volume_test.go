package volume_test

import (
	"math/rand/v2"
	"testing"

	"github.com/sojournhq/sojourn/tests/disk/volume"
)

const file = volume.Root + 1

// after returns how often each content of the file f came out of a thousand crashes after the operations; "-" stands for no such file.
func after(ops ...volume.Op) map[string]int {
	seen := map[string]int{}
	for seed := range uint64(1000) {
		v := volume.New()
		for _, op := range ops {
			v.Apply(op)
		}
		chance := rand.New(rand.NewPCG(seed, 1))
		content, ok := v.Crash(chance, volume.AnyLoss(chance))["f"]
		if !ok {
			content = []byte("-")
		}
		seen[string(content)]++
	}
	return seen
}

func write(off int64, data string) volume.Op {
	return volume.Op{Kind: volume.Write, Node: file, Off: off, Data: []byte(data)}
}

func TestACrashKeepsWhatWasSyncedAndAnyPartOfTheRest(t *testing.T) {
	create := volume.Op{Kind: volume.Create, Node: volume.Root, Child: file, Name: "f"}
	syncDir, sync := volume.Op{Kind: volume.Sync, Node: volume.Root}, volume.Op{Kind: volume.Sync, Node: file}
	for name, c := range map[string]struct {
		ops  []volume.Op
		want []string
	}{
		"a file whose directory is not synced may be gone": {[]volume.Op{create, write(0, "ab"), sync}, []string{"-", "ab"}},
		"what is synced stays":                             {[]volume.Op{create, syncDir, write(0, "ab"), sync}, []string{"ab"}},
		"what is not may be there, be gone, or leave but the length": {
			[]volume.Op{create, syncDir, write(0, "ab")}, []string{"", "ab", "\x00\x00"},
		},
		"of two writes either or none survives": {
			[]volume.Op{create, syncDir, write(0, "ab"), sync, write(0, "cd"), write(0, "ef")}, []string{"ab", "cd", "ef"},
		},
		"a file that is cut off may still be whole": {
			[]volume.Op{create, syncDir, write(0, "ab"), sync, {Kind: volume.Resize, Node: file, Size: 1}}, []string{"a", "ab"},
		},
		"removing is not durable before the directory is synced": {
			[]volume.Op{create, syncDir, write(0, "ab"), sync, {Kind: volume.Remove, Node: volume.Root, Name: "f"}}, []string{"-", "ab"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			seen := after(c.ops...)
			for _, want := range c.want {
				if seen[want] == 0 {
					t.Errorf("never %q: %v", want, seen)
				}
				delete(seen, want)
			}
			if len(seen) > 0 {
				t.Errorf("impossible: %v", seen)
			}
		})
	}
}

func TestAFailedSyncLosesForGoodAPartOfWhatWasWritten(t *testing.T) {
	lost := 0
	for seed := range uint64(100) {
		v := volume.New()
		for _, op := range []volume.Op{
			{Kind: volume.Create, Node: volume.Root, Child: file, Name: "f"},
			{Kind: volume.Sync, Node: volume.Root},
			write(0, "ab"),
			{Kind: volume.SyncFails, Node: file, Seed: seed},
			{Kind: volume.Sync, Node: file},
		} {
			v.Apply(op)
		}
		left := string(v.Bytes(file))
		if left != "ab" && left != "\x00\x00" {
			t.Fatalf("reading returns %q", left)
		}
		if got := string(v.Crash(rand.New(rand.NewPCG(seed, 2)), volume.Loss{})["f"]); got != left {
			t.Errorf("a crash leaves %q of %q", got, left)
		}
		if left != "ab" {
			lost++
		}
	}
	if lost == 0 || lost == 100 {
		t.Errorf("lost %d times of 100", lost)
	}
}

func TestATreeIsStoredAndLoadedAsItIs(t *testing.T) {
	tree := volume.Tree{"d/": nil, "d/f": []byte("x\x00\x00"), "g": {}}
	v, log := tree.Load()
	again := volume.New()
	for _, op := range log {
		again.Apply(op)
	}
	for _, v := range []*volume.Volume{v, again} {
		got := v.Crash(rand.New(rand.NewPCG(1, 1)), volume.Loss{})
		if len(got) != 3 || string(got["d/f"]) != "x\x00\x00" || len(got["g"]) != 0 {
			t.Errorf("got %q", got)
		}
	}
}
