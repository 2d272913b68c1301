package limit

import (
	"context"
	"errors"
	"io"
)

// firstBytes is how much memory a body gets at first: enough for most calls.
const firstBytes = 4 << 10

// ReadAll reads to the end, as io.ReadAll, with memory that the request takes from the limits as the body grows: what was promised but did
// not come takes none. Its error is a *RefusedError when there is no more.
func (p *Pass) ReadAll(from io.Reader) ([]byte, error) {
	var body []byte
	for {
		if len(body) == cap(body) {
			var err error
			if body, err = p.grow(body); err != nil {
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

// grow doubles the memory of a body. What it had is given back only at the end: the copy and the original are there at once.
func (p *Pass) grow(body []byte) ([]byte, error) {
	size := max(firstBytes, 2*cap(body))
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
