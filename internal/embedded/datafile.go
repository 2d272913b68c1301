package embedded

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/uuid"
	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/sojournhq/sojourn/internal/kit/pages"
)

const (
	// mappedBytes is how much address space a file is given at once: whenever bbolt has to take more it waits for all readers to end.
	mappedBytes = 16 << 30
	// growthBytes is by how much a file grows at once.
	growthBytes = 4 << 20
	// The bucket meta says what the file is: kind, format, id of the store, names of the tables, and from where on the log is needed.
	metaBucket = "meta"
	kindKey    = "kind"
	formatKey  = "format"
	idKey      = "id"
	tablesKey  = "tables"
	placeKey   = "log"
)

// manifest is the file beside a data file that says which one must be there. So one that is lost is missed.
type manifest struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
}

func manifestPath(path string) string { return path + ".json" }

// openFile opens the data file, or makes it where there never was one.
func (s *Store) openFile() (err error) {
	path := s.config.Path
	want, err := s.readManifest()
	if err != nil {
		return err
	}
	if !s.config.ReadOnly {
		if err := errors.Join(removeIfThere(s.disk, path+".new"), removeIfThere(s.disk, path+compactingSuffix)); err != nil {
			return err
		}
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && want == nil && !s.config.ReadOnly:
		err = s.create()
	case errors.Is(err, fs.ErrNotExist), err == nil && info.Size() == 0: // bbolt would make an empty one of it
		return fmt.Errorf("%w: restore it from a backup; or, to begin without what was in it, remove %s", ErrMissing, manifestPath(path))
	}
	if err != nil {
		return err
	}
	if err := s.settle(); err != nil {
		return err
	}
	if s.file, err = openBolt(path, s.config.ReadOnly); err != nil {
		return err
	}
	if err := s.identify(want); err != nil {
		return errors.Join(err, s.file.Close())
	}
	return nil
}

func (s *Store) readManifest() (*manifest, error) {
	text, err := os.ReadFile(manifestPath(s.config.Path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // there is none, and that is no error
	}
	if err != nil {
		return nil, err
	}
	m := new(manifest)
	if json.Unmarshal(text, m) != nil || m.ID == "" {
		return nil, fmt.Errorf("%w: %s cannot be read: if the data file is certainly right, remove it, and it will be made again",
			ErrDamaged, manifestPath(s.config.Path))
	}
	return m, nil
}

// create makes a new file under another name, and gives it its own only when it is whole and on the disk.
func (s *Store) create() error {
	beside := s.config.Path + ".new"
	b, err := openBolt(beside, false)
	if err != nil {
		return err
	}
	err = s.disk.update(b, func(tx *bolt.Tx) error {
		meta, err := tx.CreateBucket([]byte(metaBucket))
		if err != nil {
			return err
		}
		return errors.Join(meta.Put([]byte(kindKey), []byte(s.config.Kind)),
			meta.Put([]byte(formatKey), binary.BigEndian.AppendUint32(nil, s.config.Format)), renew(tx), s.makeTables(tx))
	})
	if err := errors.Join(err, b.Close()); err != nil {
		return err
	}
	return errors.Join(s.disk.rename(beside, s.config.Path), s.disk.syncDir(s.config.Path))
}

// renew makes a store another one, which has no log.
func renew(tx *bolt.Tx) error {
	id := uuid.New()
	return errors.Join(tx.Bucket([]byte(metaBucket)).Put([]byte(idKey), id[:]), putPlace(tx, place{1, int64(headerBytes)}, true))
}

// makeTables makes the tables that there are not, and notes their names.
func (s *Store) makeTables(tx *bolt.Tx) error {
	for _, name := range s.config.Tables {
		if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
			return err
		}
	}
	return tx.Bucket([]byte(metaBucket)).Put([]byte(tablesKey), []byte(strings.Join(s.config.Tables, "\n")))
}

// identify refuses a file that this program would misread, or that is not the one it should be, and makes the manifest name it.
func (s *Store) identify(want *manifest) error {
	var tables []string
	err := guardFile(func() error {
		return s.file.View(func(tx *bolt.Tx) (err error) {
			tables, err = s.readMeta(tx)
			return err
		})
	})
	switch {
	case err != nil:
		return err
	case want != nil && *want != (manifest{s.config.Kind, hex.EncodeToString(s.id[:])}):
		return fmt.Errorf("%w: it is not the one that %s names: put that one back, or restore a backup; or remove %[2]s to go on with it",
			ErrSwapped, manifestPath(s.config.Path))
	case s.config.ReadOnly && len(tables) < len(s.config.Tables):
		return fmt.Errorf("%w: it has fewer tables: open it for writing first", ErrFormat)
	case s.config.ReadOnly:
		return nil
	case len(tables) < len(s.config.Tables):
		err = s.disk.update(s.file, s.makeTables)
	}
	if err != nil || want != nil {
		return err
	}
	return s.writeManifest(s.id)
}

// writeManifest makes the manifest name the file with an id.
func (s *Store) writeManifest(id storeID) error {
	text, err := json.Marshal(manifest{Kind: s.config.Kind, ID: hex.EncodeToString(id[:])})
	if err != nil {
		return err
	}
	return writeWhole(s.disk, manifestPath(s.config.Path), append(text, '\n'))
}

// readMeta reads what the file says of itself, and returns its tables.
func (s *Store) readMeta(tx *bolt.Tx) (tables []string, err error) {
	meta := tx.Bucket([]byte(metaBucket))
	if meta == nil || meta.Get([]byte(tablesKey)) == nil || len(meta.Get([]byte(idKey))) != len(s.id) {
		return nil, fmt.Errorf("%w: it is no store of this version", ErrFormat)
	}
	format := meta.Get([]byte(formatKey))
	if kind := string(meta.Get([]byte(kindKey))); kind != s.config.Kind {
		return nil, fmt.Errorf("%w: it is of another kind than %q", ErrFormat, s.config.Kind)
	}
	if len(format) != 4 || binary.BigEndian.Uint32(format) != s.config.Format {
		return nil, fmt.Errorf("%w: it has not format %d", ErrFormat, s.config.Format)
	}
	tables = strings.Split(string(meta.Get([]byte(tablesKey))), "\n")
	if len(tables) > len(s.config.Tables) || !slices.Equal(tables, s.config.Tables[:len(tables)]) {
		return nil, fmt.Errorf("%w: it has other tables", ErrFormat)
	}
	s.id = storeID(meta.Get([]byte(idKey)))
	return tables, nil
}

// settle brings the file to the disk, has the kernel forget it, and checks what bbolt reads to open it: bbolt trusts that.
func (s *Store) settle() (err error) {
	f, err := os.Open(s.config.Path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := errors.Join(f.Sync(), forget(f)); err != nil {
		return fmt.Errorf("bring the data file to the disk: %w", err)
	}
	found, err := readPages(f)
	if err != nil {
		return err
	}
	if len(found.Torn) > 0 && s.deps.Log != nil {
		s.deps.Log.Warn("a meta page of the data file cannot be read: the other one is used",
			slog.String("file", filepath.Base(s.config.Path)), slog.Any("pages", found.Torn))
	}
	return found.Head()
}

func readPages(f *os.File) (*pages.File, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return pages.Read(f, info.Size())
}

// openBolt returns ErrLocked if another process has the file open, and ErrDamaged if bbolt cannot bear what is in it.
func openBolt(path string, readOnly bool) (b *bolt.DB, err error) {
	err = guardFile(func() error {
		o := &bolt.Options{Timeout: lockWait, ReadOnly: readOnly, FreelistType: bolt.FreelistMapType}
		if !readOnly {
			o.InitialMmapSize = mappedBytes
		}
		b, err = bolt.Open(path, 0o600, o)
		return err
	})
	switch {
	case err == nil:
		b.AllocSize = growthBytes
		return b, nil
	case errors.Is(err, berrors.ErrTimeout):
		return nil, ErrLocked
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil, err
}

// putPlace notes from where on the log is needed, and whether the store is closed and has none.
func putPlace(tx *bolt.Tx, p place, clean bool) error {
	value := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, p.segment), uint64(p.at))
	if clean {
		value = append(value, 1)
	} else {
		value = append(value, 0)
	}
	return tx.Bucket([]byte(metaBucket)).Put([]byte(placeKey), seal(nil, metaBucket, []byte(placeKey), value))
}

func placeOf(tx *bolt.Tx) (p place, clean bool, err error) {
	value, err := unseal(metaBucket, []byte(placeKey), tx.Bucket([]byte(metaBucket)).Get([]byte(placeKey)))
	if err == nil && len(value) != 17 {
		err = fmt.Errorf("%w: it does not say where its log begins", ErrDamaged)
	}
	if err != nil {
		return p, false, err
	}
	return place{binary.BigEndian.Uint64(value), int64(binary.BigEndian.Uint64(value[8:]))}, value[16] == 1, nil
}
