package boltdb

import (
	"context"
	"errors"
	"fmt"
)

var (
	installationBucket = []byte("installation")
	installationKey    = []byte("id")
)

// Installation returns the id of the installation that the file belongs to: of the stores that were filled together. Copies of the file
// have the same. It is empty for a file that belongs to none yet.
func (db *DB) Installation() string {
	if id := db.installation.Load(); id != nil {
		return *id
	}
	return ""
}

// Join makes a file that belongs to no installation yet one of that with an id, and returns which it belongs to once that is durable. With
// an empty id nothing is joined.
func (db *DB) Join(ctx context.Context, id string) (string, error) {
	if now := db.Installation(); now != "" || id == "" {
		return now, nil
	}
	err := db.Update(ctx, func(tx *Tx) error {
		b, err := tx.CreateBucketIfNotExists(installationBucket)
		if err != nil || b.Get(installationKey) != nil {
			return err
		}
		return b.Put(installationKey, []byte(id))
	})
	if err != nil {
		return "", fmt.Errorf("join an installation: %w", err)
	}
	if err := db.readInstallation(); err != nil {
		return "", err
	}
	return db.Installation(), nil
}

// readInstallation notes what the file says.
func (db *DB) readInstallation() error {
	return db.View(func(tx *Tx) error {
		b := tx.Bucket(installationBucket)
		if b == nil {
			return nil
		}
		id := string(b.Get(installationKey))
		if id == "" {
			return errors.New("the file's installation has no id")
		}
		db.installation.Store(&id)
		return nil
	})
}
