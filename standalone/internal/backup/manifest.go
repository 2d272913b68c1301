package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sojournhq/sojourn/internal/kit/regular"
)

const (
	manifestFile = "manifest.json"
	// maxManifestBytes is far more than one has.
	maxManifestBytes = 1 << 20
	// manifestFormat is the newest form of the manifest that this program reads.
	manifestFormat = 2
	// wholeFormat is that of backups whose files are whole, which older programs read too.
	wholeFormat = 1
	// nameOfTime makes the name of a backup from its time: names sort as times do.
	nameOfTime = "20060102T150405Z"
	// packed ends the names of files that were compressed with zstd.
	packed = ".zst"
	// listed ends the names of lists of chunks.
	listed = ".chunks"
	// packsDir is the directory beside backups that has the chunks.
	packsDir = "packs"
)

// ErrNone is returned when there is no backup where one was looked for.
var ErrNone = errors.New("there is no backup")

// Manifest says what a backup consists of. It is the last file to be written.
type Manifest struct {
	// Format is that of the manifest itself.
	Format int `json:"format"`
	// Program is the version of the program that took the backup.
	Program string `json:"program"`
	// TakenAt is when the backup began: every call answered before is in all its files.
	TakenAt time.Time `json:"takenAt"`
	Files   []File    `json:"files"`
	// Workspaces says what the workspaces file in the backup holds and lacks, if there is one.
	Workspaces *Workspaces `json:"workspaces,omitempty"`
	// Without says, of a backup that was just taken, why there is no workspaces file in it.
	Without error `json:"-"`
}

// Workspaces is what is to be known of a workspaces file in a backup. Keys and tokens are hashes in it.
type Workspaces struct {
	// PlainSecrets is how many shared secrets stand in it as they are: whoever has the backup has them.
	PlainSecrets int `json:"sharedSecretsInPlainText"`
	// SecretFiles are the paths of the files that it names for others, as they stand in it. They are not in the backup.
	SecretFiles []string `json:"secretFilesNotInBackup"`
}

// File is one file of a backup.
type File struct {
	// Name is that of the data file, Stored that of its copy in the backup.
	Name   string `json:"name"`
	Stored string `json:"stored"`
	// Kind and Format are what the data file says of itself.
	Kind   string `json:"kind"`
	Format uint32 `json:"format"`
	// Bytes and SHA256 are those of the data file, whether the copy is compressed or not; StoredBytes is what the copy takes
	// or, of a list of chunks, what it and the chunks take that were not there before.
	Bytes       int64  `json:"bytes"`
	SHA256      string `json:"sha256"`
	StoredBytes int64  `json:"storedBytes"`
	// TakenAt is the moment as of which the file was copied.
	TakenAt time.Time `json:"takenAt"`
}

// read returns the manifest of the backup in a directory.
func read(dir string) (Manifest, error) {
	var m Manifest
	text, err := regular.ReadFile(filepath.Join(dir, manifestFile), maxManifestBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("%w in %s", ErrNone, dir)
	}
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("%s of %s: %w", manifestFile, dir, err)
	}
	if m.Format < 1 || m.Format > manifestFormat {
		return m, fmt.Errorf("%s of %s has format %d, this program reads up to %d", manifestFile, dir, m.Format, manifestFormat)
	}
	for _, f := range m.Files {
		if f.Stored == "." || f.Stored == ".." || filepath.Base(f.Stored) != f.Stored {
			return m, fmt.Errorf("%s of %s names a file elsewhere", manifestFile, dir)
		}
	}
	return m, nil
}

// list returns the names of the backups in a directory, the oldest first.
func list(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if _, err := time.Parse(nameOfTime, e.Name()); err == nil && e.IsDir() {
			names = append(names, e.Name())
		}
	}
	slices.SortFunc(names, strings.Compare)
	return names, nil
}

// Find returns the backup that a directory is, or the newest of those that it holds.
func Find(dir string) (string, error) {
	if _, err := os.Lstat(filepath.Join(dir, manifestFile)); err == nil {
		return dir, nil
	}
	names, err := list(dir)
	if err != nil {
		return "", err
	}
	if len(names) == 0 {
		return "", fmt.Errorf("%w in %s", ErrNone, dir)
	}
	return filepath.Join(dir, names[len(names)-1]), nil
}
