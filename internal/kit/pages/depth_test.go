package pages_test

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"strings"
	"testing"
)

// chained returns the bytes of a file whose root is page 2, and whose pages from there on are branches with one child each, or leaves with one
// bucket each: each leads to the next, and the last to the page given.
func chained(count int, flags uint16, last uint64) []byte {
	file := make([]byte, (count+2)*pageSize)
	order := binary.NativeEndian
	for n := range 2 {
		meta := file[n*pageSize+16:]
		order.PutUint32(meta, 0xED0CDAED)
		order.PutUint32(meta[4:], 2)
		order.PutUint32(meta[8:], pageSize)
		order.PutUint64(meta[16:], 2)          // root
		order.PutUint64(meta[32:], ^uint64(0)) // no list of free pages
		order.PutUint64(meta[40:], uint64(count+2))
		order.PutUint64(meta[48:], uint64(n))
		sum := fnv.New64a()
		_, _ = sum.Write(meta[:56])
		order.PutUint64(meta[56:], sum.Sum64())
	}
	for n := range count {
		p, child := file[(n+2)*pageSize:], uint64(n+3)
		if n == count-1 {
			child = last
		}
		order.PutUint64(p, uint64(n+2))
		order.PutUint16(p[8:], flags)
		order.PutUint16(p[10:], 1)
		element := p[16:]
		copy(element[16:], "meta")
		if flags == 0x01 {
			order.PutUint32(element, 16)
			order.PutUint32(element[4:], 4)
			order.PutUint64(element[8:], child)
			continue
		}
		order.PutUint32(element, 1) // a bucket
		order.PutUint32(element[4:], 16)
		order.PutUint32(element[8:], 4)
		order.PutUint32(element[12:], 16)
		order.PutUint64(element[20:], child)
	}
	return file
}

func TestPagesThatLeadBackOrTooDeepEndWithAnErrorThatNamesOne(t *testing.T) {
	for name, flags := range map[string]uint16{"branches": 0x01, "buckets": 0x02} {
		for _, c := range []struct {
			count int
			last  uint64
			says  string
		}{
			{1, 2, "page 2: it is used twice"},
			{2, 2, "page 2: it is used twice"},
			{100, 2, "page 2: it is used twice"},
			{100, 60, "page 60: it is used twice"},
			{2000, 2, "page 131: it lies deeper than any page can"},
			{2000, 2001, "page 131: it lies deeper than any page can"},
		} {
			if found := fmt.Sprint(check(chained(c.count, flags, c.last))); !strings.Contains(found, c.says) {
				t.Errorf("%d %s, the last leads to page %d: found %s, want %q", c.count, name, c.last, found, c.says)
			}
		}
	}
}
