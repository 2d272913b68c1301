package limit

import (
	"context"
	"errors"
	"io"
)

// firstBytes is how much memory a body gets at first: enough for most calls.
const firstBytes = 4 << 10

// warranted is how many times the memory that it has filled a body gets if more was promised.
const warranted = 8

// ReadAll reads to the end, as io.ReadAll, with memory that the request takes from the limits as the body grows. Promised is how much is
// said to come, or less than 0; as long as it does not come, it takes no more than a few times what did. The error is a *RefusedError when
// there is no more memory.
func (p *Pass) ReadAll(from io.Reader, promised int64) ([]byte, error) {
	var body []byte
	for {
		if len(body) == cap(body) {
			var err error
			if body, err = p.grow(body, promised); err != nil {
				return body, err
			}
		}
		n, err := from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if errors.Is(err, io.EOF) {
			return body, nil
		}
		if err != nil {
			return body, err
		}
	}
}

// grow gives a body more memory: towards what was promised, in steps as large as what came warrants, and beyond that twice what it has.
// What it had is given back only at the end: the copy and the original are there at once.
func (p *Pass) grow(body []byte, promised int64) ([]byte, error) {
	size := max(firstBytes, 2*cap(body))
	if int64(len(body)) <= promised {
		// The byte more is where the end is found.
		size = int(min(promised+1, int64(max(firstBytes, warranted*cap(body)))))
	}
	more := int64(size - cap(body))
	// No deadline is needed, for this pool has no line.
	if err := p.limits.bytes.take(context.Background(), p.who, more); err != nil {
		return body, p.refuse(err, shared("memory"))
	}
	p.bytes += more
	grown := make([]byte, len(body), size)
	copy(grown, body)
	return grown, nil
}
