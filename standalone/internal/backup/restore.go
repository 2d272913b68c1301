package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/durable"
	"github.com/sojournhq/sojourn/internal/kit/regular"
	"github.com/sojournhq/sojourn/services/events"
	"github.com/sojournhq/sojourn/services/identity"
	"github.com/sojournhq/sojourn/services/sessions"
)

// errNotBackedUp says that a copy is damaged.
var errNotBackedUp = errors.New("the copy is damaged: it is not what was backed up")

// Restoring says what to restore, and where.
type Restoring struct {
	// From is the directory of one backup.
	From string
	// Dir is the data directory; it is made if need be.
	Dir string
	// Workspaces is the path of the workspaces file; empty: WorkspacesFile in Dir.
	Workspaces string
	// Only names the one kind of data to restore, or workspaces for their file; empty: all of them.
	Only string
	// Replace replaces data files that are there, and a workspaces file if Only names it. Without it, nothing that is to be restored may
	// be there; but a workspaces file is left as it is unless Only names it.
	Replace bool
	// Steps are told of every change of a file. Nil: nobody is.
	Steps durable.Steps
}

// Restored says what a restore has put in place.
type Restored struct {
	// Files are the data files.
	Files []File
	// Workspaces says what became of the workspaces file.
	Workspaces Outcome
	// WorkspacesPath is where that is, or should be.
	WorkspacesPath string
	// SecretFiles are the paths of files with shared secrets that the workspaces file names and that are in no backup, where it was put in
	// place: it is refused until they are there.
	SecretFiles []string
}

// Outcome is what became of the workspaces file.
type Outcome int

// Outcomes.
const (
	// NotAsked is that of a restore of one kind of data.
	NotAsked Outcome = iota
	// Written is that of one that was put in place.
	Written
	// Kept is that of one that was there, and stays.
	Kept
	// Absent is that of a backup without one, as they were before, where there is none.
	Absent
)

// Restore puts the files of a backup into a data directory, once all of them are known to be whole and of formats that this program reads.
// First the directory is marked, durably, and when all is in place the mark is taken away: in between, and after a crash in between,
// nothing but Restore opens data files there. It can be run again then, with the same backup or another. When it fails before it has
// changed anything, there is no mark. The data files must not be in use.
func Restore(ctx context.Context, r Restoring) (Restored, error) {
	m, err := read(r.From)
	if err != nil {
		return Restored{}, err
	}
	targets, err := r.targets(m)
	if err != nil {
		return Restored{}, err
	}
	w, err := r.workspaces(m)
	if err != nil {
		return Restored{}, err
	}
	if len(targets) == 0 {
		return r.workspacesAlone(w)
	}
	if err := r.Steps.MkdirAll(r.Dir); err != nil {
		return Restored{}, fmt.Errorf("make data directory: %w", err)
	}
	options := make([]boltdb.Options, len(targets))
	for i, t := range targets {
		options[i] = t.options
	}
	to, err := boltdb.Restore(r.Dir, options, r.Steps)
	if err != nil {
		return Restored{}, err
	}
	p := &placing{Restoring: r, to: to, targets: targets, workspaces: w}
	done, err := p.run(ctx)
	return done, errors.Join(err, to.Close())
}

// target is a file of a backup and the data file that it becomes.
type target struct {
	File

	options boltdb.Options
}

// targets returns the data files that are to be restored.
func (r Restoring) targets(m Manifest) ([]target, error) {
	if r.Only == workspacesKind {
		return nil, nil
	}
	var found []target
	for _, o := range []boltdb.Options{identity.Data(r.Dir), events.Data(r.Dir), sessions.Data(r.Dir)} {
		if r.Only != "" && r.Only != o.Kind {
			continue
		}
		i := slices.IndexFunc(m.Files, func(f File) bool { return f.Kind == o.Kind })
		if i < 0 {
			return nil, fmt.Errorf("the backup has no %s", o.Kind)
		}
		found = append(found, target{m.Files[i], o})
	}
	if len(found) == 0 {
		return nil, errors.New("-only is none of identity, events, sessions and workspaces")
	}
	return found, nil
}

// workspaces returns the workspaces file that is to be restored, nil if none is.
func (r Restoring) workspaces(m Manifest) (*restoredWorkspaces, error) {
	if r.Only != "" && r.Only != workspacesKind {
		return nil, nil //nolint:nilnil // none is asked for, and that is no error
	}
	w, err := workspacesIn(r.From, m)
	if err != nil {
		return nil, fmt.Errorf("restore %s: %w", WorkspacesFile, err)
	}
	return w, nil
}

// workspacesPath is where the workspaces file goes.
func (r Restoring) workspacesPath() string {
	if r.Workspaces != "" {
		return r.Workspaces
	}
	return filepath.Join(r.Dir, WorkspacesFile)
}

// workspacesAlone restores nothing but the workspaces file.
func (r Restoring) workspacesAlone(w *restoredWorkspaces) (Restored, error) {
	path := r.workspacesPath()
	switch {
	case w == nil:
		return Restored{}, errors.New("the workspaces file is not in the backup: it was taken by a version before, or where there was none")
	case there(path) && !r.Replace:
		return Restored{}, fmt.Errorf("%s is there already: name another by -workspaces, or replace it with -force", path)
	}
	if err := w.write(path, r.Steps); err != nil {
		return Restored{}, err
	}
	return Restored{Workspaces: Written, WorkspacesPath: path, SecretFiles: w.secretPaths(path)}, nil
}

func there(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// placing is a restore into a directory that it has for itself.
type placing struct {
	Restoring

	to         *boltdb.Restoring
	targets    []target
	workspaces *restoredWorkspaces // nil: none is to be restored

	mixed  bool         // a restore before this one has not finished, and may have put some of its files in place
	before *boltdb.Mark // what is known of that
}

func (p *placing) run(ctx context.Context) (done Restored, err error) {
	before, unfinished := p.to.Before()
	if p.mixed = unfinished && (before == nil || before.Placing); p.mixed {
		p.before = before
	}
	if err := p.allowed(); err != nil {
		return done, err
	}
	files, err := p.prepare(ctx, &done)
	defer func() {
		for _, path := range files {
			_ = p.Steps.Remove(path) // what has its name already is not there any more, and the next start would remove it
		}
	}()
	if err != nil {
		return done, err
	}
	if err := p.place(files, &done); err != nil {
		return done, fmt.Errorf("%w; nothing starts on %s until the restore has been run again", err, p.Dir)
	}
	return done, nil
}

// allowed refuses to replace what is not to be replaced, and to finish only a part of what a restore before this one has not finished.
func (p *placing) allowed() error {
	for _, t := range p.targets {
		begun := p.mixed && (p.before == nil || slices.Contains(p.before.Files, filepath.Base(t.options.Path)))
		if there(t.options.Path) && !p.Replace && !begun {
			return fmt.Errorf("%s is there already: restore into another directory, or replace it with -force", t.options.Path)
		}
	}
	if p.mixed && p.leavesMixed() {
		return fmt.Errorf("%w; -only %s would leave the others as they are", boltdb.Unfinished(p.Dir), p.Only)
	}
	return nil
}

// leavesMixed says whether files would stay that a restore before this one may have put in place.
func (p *placing) leavesMixed() bool {
	if p.before == nil {
		return p.Only != ""
	}
	return slices.ContainsFunc(p.before.Files, func(name string) bool {
		return !slices.ContainsFunc(p.targets, func(t target) bool { return filepath.Base(t.options.Path) == name })
	})
}

// prepare marks the directory and does everything before the first file is put in place. It returns the unpacked files, also those that
// were begun. When it fails, the mark is that of before.
func (p *placing) prepare(ctx context.Context, done *Restored) (files []string, err error) {
	if !p.mixed {
		err = p.mark(boltdb.Mark{})
		defer func() {
			if err != nil {
				err = errors.Join(err, p.to.Finish())
			}
		}()
	}
	if err == nil {
		err = p.to.RemoveLeft()
	}
	if err == nil {
		files, err = p.unpackAll(ctx)
	}
	if err == nil {
		done.Workspaces, err = p.outcome()
	}
	return files, err
}

// unpackAll unpacks every data file beside its place, and returns where they are, also those that were begun.
func (p *placing) unpackAll(ctx context.Context) (files []string, err error) {
	for _, t := range p.targets {
		path, err := p.unpack(ctx, t)
		if path != "" {
			files = append(files, path)
		}
		if err != nil {
			return files, fmt.Errorf("restore %s: %w", t.Name, err)
		}
	}
	return files, nil
}

// unpack writes a file of a backup into the directory, under a name of its own that it returns, and checks that it is what was backed up.
func (p *placing) unpack(ctx context.Context, t target) (path string, err error) {
	in, err := open(p.From, t.Stored)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	file, err := p.to.Create()
	if err != nil {
		return "", err
	}
	err = copyChecked(ctx, file, in, t.File)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return file.Name(), err
	}
	return file.Name(), readable(t.options, file.Name())
}

// outcome decides what becomes of the workspaces file. One that is there stays, unless a restore that did not finish put it there: that is
// taken away, while its mark says so still.
func (p *placing) outcome() (Outcome, error) {
	path := p.workspacesPath()
	switch {
	case p.Only != "":
		return NotAsked, nil
	case there(path) && !p.isOfBefore(path):
		return Kept, nil
	case p.workspaces == nil:
		return Absent, p.takeAway(path)
	}
	return Written, p.takeAway(path)
}

// isOfBefore says whether the file at a path is the one that the restore before this one put there, and nobody has changed.
func (p *placing) isOfBefore(path string) bool {
	absolute, err := filepath.Abs(path)
	if p.before == nil || err != nil {
		return false
	}
	text, err := regular.ReadFile(path, maxWorkspacesBytes)
	sum := sha256.Sum256(text)
	return err == nil && p.before.Others[absolute] == hex.EncodeToString(sum[:])
}

func (p *placing) takeAway(path string) error {
	if !there(path) {
		return nil
	}
	if err := p.Steps.Remove(path); err != nil {
		return err
	}
	return p.Steps.SyncDir(filepath.Dir(path))
}

// mark marks the directory with what is being done.
func (p *placing) mark(m boltdb.Mark) (err error) {
	m.Begun = time.Now().UTC()
	if m.From, err = filepath.Abs(p.From); err != nil {
		return err
	}
	for _, t := range p.targets {
		m.Files = append(m.Files, filepath.Base(t.options.Path))
	}
	return p.to.Mark(m)
}

// markPlacing marks the directory before the first file is put in place.
func (p *placing) markPlacing(workspaces Outcome) error {
	m := boltdb.Mark{Placing: true}
	if workspaces == Written {
		path, err := filepath.Abs(p.workspacesPath())
		if err != nil {
			return err
		}
		m.Others = map[string]string{path: p.workspaces.sum()}
	}
	return p.mark(m)
}

// place puts everything in place.
func (p *placing) place(files []string, done *Restored) error {
	if err := p.markPlacing(done.Workspaces); err != nil {
		return err
	}
	for i, t := range p.targets {
		if err := p.to.Install(t.options, files[i]); err != nil {
			return fmt.Errorf("restore %s: %w", t.Name, err)
		}
		done.Files = append(done.Files, t.File)
	}
	done.WorkspacesPath = p.workspacesPath()
	if done.Workspaces == Written {
		if err := p.workspaces.write(done.WorkspacesPath, p.Steps); err != nil {
			return err
		}
		done.SecretFiles = p.workspaces.secretPaths(done.WorkspacesPath)
	}
	return p.to.Finish()
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
		return errNotBackedUp
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
