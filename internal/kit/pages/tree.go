package pages

import "bytes"

// element is a key of a branch or leaf page with what it leads to.
type element struct {
	key   []byte
	child uint64 // of a branch
	value []byte // of a leaf
	// bucket says that the value is a bucket.
	bucket bool
}

// elements returns what is on a page that was read, or lies within a bucket's value; at is the page to name.
func elements(p page, at uint64) ([]element, error) {
	leaf := p.flags == leafFlag
	if !leaf && p.flags != branchFlag {
		return nil, damaged(at, "it is neither branch nor leaf: flags %#x", p.flags)
	}
	if !leaf && p.count == 0 {
		return nil, damaged(at, "it is a branch without a child")
	}
	if headerBytes+p.count*elementBytes > len(p.bytes) {
		return nil, damaged(at, "its %d elements do not fit on it", p.count)
	}
	if p.count == 0 && len(bytes.Trim(p.bytes[headerBytes:], "\x00")) > 0 {
		return nil, damaged(at, "it says that it is empty, and is not")
	}
	found := make([]element, p.count)
	next := uint64(headerBytes + p.count*elementBytes) // bbolt writes keys and values one behind the other: so none can go unnoticed
	for i := range found {
		from := headerBytes + i*elementBytes
		b := p.bytes[from:]
		var e element
		var pos, keyLen, valueLen uint64
		if leaf {
			e.bucket = u32(b)&bucketFlag != 0
			pos, keyLen, valueLen = uint64(u32(b[4:])), uint64(u32(b[8:])), uint64(u32(b[12:]))
		} else {
			pos, keyLen = uint64(u32(b)), uint64(u32(b[4:]))
			e.child = u64(b[8:])
		}
		if keyLen == 0 || pos+keyLen+valueLen > uint64(len(b)) {
			return nil, damaged(at, "element %d is empty or leads out of it", i)
		}
		if uint64(from)+pos != next {
			return nil, damaged(at, "element %d does not lie behind the one before it", i)
		}
		next += keyLen + valueLen
		e.key, e.value = b[pos:pos+keyLen], b[pos+keyLen:pos+keyLen+valueLen]
		found[i] = e
	}
	return found, nil
}

// inline returns the page that lies within a bucket's value, behind its header.
func inline(value []byte) page {
	b := value[bucketBytes:]
	if len(b) < headerBytes {
		return page{}
	}
	return page{flags: u16(b[8:]), count: int(u16(b[10:])), bytes: b}
}

// within says what is wrong with the order of a page's keys, if anything is: they must rise, from no less than least and to less than
// limit; nil of either: no bound.
func within(found []element, at uint64, least, limit []byte) error {
	for i, e := range found {
		switch {
		case i == 0 && bytes.Compare(e.key, least) < 0:
			return damaged(at, "its first key is less than its parent says")
		case i > 0 && bytes.Compare(found[i-1].key, e.key) >= 0:
			return damaged(at, "key %d is not greater than the one before it", i)
		case limit != nil && bytes.Compare(e.key, limit) >= 0:
			return damaged(at, "key %d is not less than where the next page begins", i)
		}
	}
	return nil
}
