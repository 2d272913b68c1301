package chunks

import (
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/sojournhq/sojourn/internal/kit/durable"
)

// Collect removes every pack that has nothing of the streams whose lists are in these files, and writes anew what is left of those that
// have little. It is for a store that nothing was written to since it was opened. Where a list cannot be read nothing is removed.
func (s *Store) Collect(lists []string) error {
	needed := map[Sum]bool{}
	for _, path := range lists {
		sums, err := readList(path)
		if err != nil {
			return err
		}
		for _, sum := range sums {
			needed[sum] = true
		}
	}
	var gone []string
	for _, p := range s.packs {
		leaves, err := s.collect(p, needed)
		if err != nil {
			return err
		}
		if leaves {
			gone = append(gone, p.file.Name())
		}
	}
	if err := s.Seal(); err != nil {
		return err
	}
	return s.remove(gone, needed)
}

// remove removes packs, and those that are damaged if nothing of them is missing.
func (s *Store) remove(gone []string, needed map[Sum]bool) (err error) {
	missing := false
	for sum := range needed {
		if _, ok := s.known[sum]; !ok {
			missing = true
		}
	}
	if !missing {
		gone = append(gone, s.broken...)
	}
	for _, path := range gone {
		if !slices.Contains(s.made, filepath.Base(path)) { // one with the same chunks has the same name
			err = errors.Join(err, os.Remove(path))
		}
	}
	return errors.Join(err, durable.SyncDir(s.dir))
}

// collect says whether a pack may go. What is needed of it is in the pack being written then.
func (s *Store) collect(p *pack, needed map[Sum]bool) (leaves bool, err error) {
	var live []entry
	var used, all int64
	for _, e := range p.entries {
		all += int64(e.stored)
		if needed[e.sum] && s.known[e.sum] == e.place { // else another pack has it too
			live, used = append(live, e), used+int64(e.stored)
		}
	}
	if len(live) > 0 && used >= all/2 {
		return false, nil
	}
	for _, e := range live {
		stored, err := e.load()
		if err == nil {
			_, err = s.plain(e.sum, e.place, stored)
		}
		if err == nil {
			err = s.append(e.sum, stored, int(e.plain))
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}
