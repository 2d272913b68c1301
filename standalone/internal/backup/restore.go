package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/services/events"
	"github.com/sojournhq/sojourn/services/identity"
	"github.com/sojournhq/sojourn/services/sessions"
)

// Restoring says what to restore, and where.
type Restoring struct {
	// From is the directory of one backup.
	From string
	// Dir is the data directory; it is made if need be.
	Dir string
	// Only names the one kind of data to restore; empty: all three.
	Only string
	// Replace replaces data files that are there. Without it, none may be there.
	Replace bool
}

// Restore puts the files of a backup into a data directory, once all of them are known to be whole and of formats that this program reads.
// Each is there whole or not at all; a crash in between leaves some restored and others not, and Restore can be run again. The data
// files must not be in use.
func Restore(ctx context.Context, r Restoring) (restored []File, err error) {
	m, err := read(r.From)
	if err != nil {
		return nil, err
	}
	targets, err := r.targets(m)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(r.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	beside := make([]string, len(targets))
	defer func() {
		for _, path := range beside {
			_ = os.Remove(path) // what has its name already is not there any more
		}
	}()
	for i, t := range targets {
		if beside[i], err = unpack(ctx, r.From, r.Dir, t); err != nil {
			return nil, fmt.Errorf("restore %s: %w", t.Name, err)
		}
	}
	for i, t := range targets {
		if err := boltdb.Install(t.options, beside[i]); err != nil {
			return restored, fmt.Errorf("restore %s: %w", t.Name, err)
		}
		restored = append(restored, t.File)
	}
	return restored, nil
}

// target is a file of a backup and the data file that it becomes.
type target struct {
	File

	options boltdb.Options
}

// targets returns what is to be restored, if it may be.
func (r Restoring) targets(m Manifest) ([]target, error) {
	var found []target
	for _, o := range []boltdb.Options{identity.Data(r.Dir), events.Data(r.Dir), sessions.Data(r.Dir)} {
		if r.Only != "" && r.Only != o.Kind {
			continue
		}
		i := slices.IndexFunc(m.Files, func(f File) bool { return f.Kind == o.Kind })
		if i < 0 {
			return nil, fmt.Errorf("the backup has no %s", o.Kind)
		}
		if _, err := os.Lstat(o.Path); err == nil && !r.Replace {
			return nil, fmt.Errorf("%s is there already: restore into another directory, or replace it with -force", o.Path)
		}
		if err := boltdb.InUse(o.Path); err != nil {
			return nil, err
		}
		found = append(found, target{m.Files[i], o})
	}
	if len(found) == 0 {
		return nil, errors.New("-only is none of identity, events and sessions")
	}
	return found, nil
}

// unpack writes a file of a backup into a directory, under a name of its own that it returns, and checks that it is what was backed up.
func unpack(ctx context.Context, from, dir string, t target) (path string, err error) {
	in, err := open(from, t.Stored)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	file, err := os.CreateTemp(dir, ".restore-*")
	if err != nil {
		return "", err
	}
	err = copyChecked(ctx, file, in, t.File)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return file.Name(), err
	}
	return file.Name(), readable(t.options, file.Name())
}

// copyChecked writes what is read of a file, and says whether it is what was backed up.
func copyChecked(ctx context.Context, to io.Writer, in io.Reader, f File) error {
	sum := sha256.New()
	// No more than a byte too many: what is not the file must not fill the disk.
	n, err := io.Copy(io.MultiWriter(to, sum), io.LimitReader(whileWanted{ctx, in}, f.Bytes+1))
	if err != nil {
		return err
	}
	if n != f.Bytes || hex.EncodeToString(sum.Sum(nil)) != f.SHA256 {
		return errors.New("the copy is damaged: it is not what was backed up")
	}
	return nil
}

// readable says whether this program reads a file as the data that the options name, if perhaps only once its service has upgraded it.
func readable(o boltdb.Options, path string) error {
	o.Path = path
	return boltdb.Readable(o)
}

// whileWanted reads until ctx ends.
type whileWanted struct {
	ctx  context.Context //nolint:containedctx // of the one restoring that this reader is made for
	from io.Reader
}

func (w whileWanted) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.from.Read(p)
}
