package faults

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// damage does harm to a file of a data directory, for which it may use another of an earlier age. It returns the file, "" if there is none
// to be damaged so, and says what it did.
type damage func(chance *rand.Rand, dir, earlier string) (file, what string, err error)

const page = 4096

func damages() map[string]damage {
	return map[string]damage{
		"flip": inPlace(func(chance *rand.Rand, content []byte) string {
			at, bit := chance.IntN(len(content)), chance.IntN(8)
			content[at] ^= 1 << bit
			return fmt.Sprintf("bit %d of byte %d flipped", bit, at)
		}),
		"zeroed sector": inPlace(func(chance *rand.Rand, content []byte) string {
			at := chance.IntN(len(content)) / 512 * 512
			clear(content[at:min(at+512, len(content))])
			return fmt.Sprintf("zeros at %d", at)
		}),
		"zeroed page": inPlace(func(chance *rand.Rand, content []byte) string {
			at := chance.IntN(len(content)) / page * page
			clear(content[at:min(at+page, len(content))])
			return fmt.Sprintf("a page of zeros at %d", at)
		}),
		"garbage": inPlace(func(chance *rand.Rand, content []byte) string {
			at := chance.IntN(len(content))
			n := min(1+chance.IntN(page), len(content)-at)
			for i := range n {
				content[at+i] = byte(chance.Uint32())
			}
			return fmt.Sprintf("%d bytes of garbage at %d", n, at)
		}),
		"page in the wrong place": inPlace(func(chance *rand.Rand, content []byte) string {
			from, to := chance.IntN(len(content))/page*page, chance.IntN(len(content))/page*page
			copy(content[to:min(to+page, len(content))], slices.Clone(content[from:min(from+page, len(content))]))
			return fmt.Sprintf("the page at %d also at %d", from, to)
		}),
		"zeroed file": inPlace(func(_ *rand.Rand, content []byte) string {
			clear(content)
			return "all of it zeros"
		}),
		"cut off": onFile(func(chance *rand.Rand, path string, size int) (string, error) {
			left := chance.IntN(size)
			return fmt.Sprintf("cut to %d bytes of %d", left, size), os.Truncate(path, int64(left))
		}),
		"emptied":        onFile(func(_ *rand.Rand, path string, _ int) (string, error) { return "emptied", os.Truncate(path, 0) }),
		"removed":        onFile(func(_ *rand.Rand, path string, _ int) (string, error) { return "removed", os.Remove(path) }),
		"swapped":        swapped,
		"of another age": fromEarlier,
	}
}

// files lists the data files of a directory.
func files(dir string) []string {
	all, err := filepath.Glob(filepath.Join(dir, "*.db*"))
	if err != nil {
		panic(err)
	}
	slices.Sort(all)
	return all
}

func onFile(harm func(chance *rand.Rand, path string, size int) (string, error)) damage {
	return func(chance *rand.Rand, dir, _ string) (string, string, error) {
		all := files(dir)
		path := all[chance.IntN(len(all))]
		info, err := os.Stat(path)
		if err != nil || info.Size() == 0 {
			return "", "", err
		}
		what, err := harm(chance, path, int(info.Size()))
		return path, filepath.Base(path) + ": " + what, err
	}
}

func inPlace(harm func(chance *rand.Rand, content []byte) string) damage {
	return onFile(func(chance *rand.Rand, path string, _ int) (string, error) {
		content, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		before := string(content)
		what := harm(chance, content)
		if string(content) == before {
			what += " (which it was)"
		}
		return what, os.WriteFile(path, content, 0o600)
	})
}

// swapped gives two files each other's names.
func swapped(chance *rand.Rand, dir, _ string) (string, string, error) {
	all := files(dir)
	n := chance.Perm(len(all))
	a, b, aside := all[n[0]], all[n[1]], filepath.Join(dir, "aside")
	err := errors.Join(os.Rename(a, aside), os.Rename(b, a), os.Rename(aside, b))
	return a, filepath.Base(a) + " and " + filepath.Base(b) + " swapped", err
}

// fromEarlier puts one file of an earlier age in the place of a later one: a segment, or a file that segments belong to. A service's files
// that are all of an earlier age are what a backup is; that is no damage.
func fromEarlier(chance *rand.Rand, dir, earlier string) (string, string, error) {
	all := files(earlier)
	path := all[chance.IntN(len(all))]
	name := filepath.Base(path)
	service, _, _ := strings.Cut(name, ".")
	segments, err := filepath.Glob(filepath.Join(dir, service+".db.log-*"))
	if err != nil || len(segments) == 0 {
		return "", "", err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return "", "", err
	}
	return path, name + ": that of an earlier age", os.WriteFile(filepath.Join(dir, name), content, 0o600)
}

func sortedKeys(m map[string]damage) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(m)), func(name string) bool { return name == "flip" })
}
