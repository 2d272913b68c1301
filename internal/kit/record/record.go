// Package record guards stored values: every value carries a checksum over its key and itself, because bbolt has none and a disk can lie.
package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"google.golang.org/protobuf/proto"
)

// ErrCorrupt says that a stored value is not what was written under its key.
var ErrCorrupt = errors.New("corrupt record")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const sumSize = 4

// Seal appends to value the checksum that Open demands. It may reuse the room behind value.
func Seal(key, value []byte) []byte {
	return binary.BigEndian.AppendUint32(value, sum(key, value))
}

// Open returns the value that Seal sealed under key, or ErrCorrupt.
func Open(key, sealed []byte) ([]byte, error) {
	if len(sealed) < sumSize {
		return nil, fmt.Errorf("%w: %d bytes under key %x", ErrCorrupt, len(sealed), key)
	}
	value := sealed[:len(sealed)-sumSize]
	if sum(key, value) != binary.BigEndian.Uint32(sealed[len(value):]) {
		return nil, fmt.Errorf("%w: checksum does not match under key %x", ErrCorrupt, key)
	}
	return value, nil
}

// Marshal seals a message.
func Marshal(key []byte, m proto.Message) ([]byte, error) {
	value, err := proto.MarshalOptions{}.MarshalAppend(make([]byte, 0, 64), m)
	if err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	return Seal(key, value), nil
}

// Unmarshal opens what Marshal made and decodes it into m.
func Unmarshal(key, sealed []byte, m proto.Message) error {
	value, err := Open(key, sealed)
	if err != nil {
		return err
	}
	if err := proto.Unmarshal(value, m); err != nil {
		return fmt.Errorf("%w: under key %x: %w", ErrCorrupt, key, err)
	}
	return nil
}

func sum(key, value []byte) uint32 {
	return crc32.Update(crc32.Update(0, castagnoli, key), castagnoli, value)
}
