package drive

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
)

// wire is one kept connection. It speaks the little of HTTP/1.1 that it needs, because the generator shares the machine with the server and
// the client of net/http costs more than the servers that are measured.
type wire struct {
	conn    net.Conn
	reader  *bufio.Reader
	request []byte
	answer  []byte
}

func dial(address string) (*wire, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &wire{conn: conn, reader: bufio.NewReaderSize(conn, 4<<10)}, nil
}

// exchange sends a body behind a head, which lacks only its length, and returns the status and the body of the answer, which is good until the next exchange.
func (w *wire) exchange(head, body []byte) (status int, answer []byte, err error) {
	w.request = append(w.request[:0], head...)
	w.request = strconv.AppendInt(w.request, int64(len(body)), 10)
	w.request = append(w.request, "\r\n\r\n"...)
	w.request = append(w.request, body...)
	if _, err := w.conn.Write(w.request); err != nil {
		return 0, nil, err
	}
	return w.read()
}

var errProtocol = errors.New("the answer is not understood")

// read reads an answer that says how long it is.
func (w *wire) read() (status int, answer []byte, err error) {
	line, err := w.reader.ReadSlice('\n')
	if err != nil {
		return 0, nil, err
	}
	if len(line) < len("HTTP/1.1 200") || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, nil, fmt.Errorf("%w: no status line", errProtocol)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, nil, fmt.Errorf("%w: no status", errProtocol)
	}
	length, err := w.length()
	if err != nil {
		return status, nil, err
	}
	if cap(w.answer) < length {
		w.answer = make([]byte, length)
	}
	w.answer = w.answer[:length]
	_, err = io.ReadFull(w.reader, w.answer)
	return status, w.answer, err
}

// length reads the header of an answer to its end and returns the length that it tells.
func (w *wire) length() (int, error) {
	length := -1
	for {
		line, err := w.reader.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		name, value, _ := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(":"))
		switch {
		case len(name) == 0 && length < 0:
			return 0, fmt.Errorf("%w: it does not say how long it is", errProtocol)
		case len(name) == 0:
			return length, nil
		case len(name) == len("Content-Length") && bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil || length < 0 || length > maxAnswer {
				return 0, fmt.Errorf("%w: its length", errProtocol)
			}
		}
	}
}

// maxAnswer is more than any answer to calls takes.
const maxAnswer = 8 << 20
