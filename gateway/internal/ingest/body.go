package ingest

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/sojournhq/sojourn/gateway/internal/limit"
	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

// Codes of bodies that cannot be read to their end.
const (
	codeBodyTooLarge        = "body_too_large"
	codeEncodingUnsupported = "encoding_unsupported"
	codeCharsetUnsupported  = "charset_unsupported"
	codeGzipInvalid         = "gzip_invalid"
	codeChunksInvalid       = "chunks_invalid"
)

// readBody reads a request's body, decompressed, of at most so many bytes in either form. What has to be fixed about it comes with as much
// of the body as could be read, in which the write key may stand. The error is that of a connection that broke off, or of memory that there
// is not.
func readBody(w http.ResponseWriter, r *http.Request, memory *limit.Pass, longest int) ([]byte, *segment.Problem, error) {
	body, err := memory.ReadAll(http.MaxBytesReader(w, r.Body, int64(longest)), min(r.ContentLength, int64(longest)))
	switch {
	case err == nil:
	case shed(err):
		return nil, nil, err
	case isTooLarge(r, err, longest):
		return body, bodyTooLarge(longest), nil
	case isMalformed(r, err):
		return body, &segment.Problem{
			Code: codeChunksInvalid, Message: "the chunks of the body are not as HTTP/1.1 writes them: send it with a content-length",
		}, nil
	default:
		return nil, nil, err
	}
	var problem *segment.Problem
	switch encoding := strings.ToLower(strings.Join(r.Header.Values("Content-Encoding"), ",")); {
	case encoding == "gzip", encoding == "x-gzip", isPlain(encoding) && bytes.HasPrefix(body, gzipMagic()):
		if body, problem, err = inflate(body, memory, longest); err != nil {
			return nil, nil, err
		}
	case !isPlain(encoding):
		return body, &segment.Problem{
			Code: codeEncodingUnsupported, Message: "content-encoding is not supported: send the body with gzip, or uncompressed",
		}, nil
	}
	if problem == nil {
		problem = checkCharset(r)
	}
	return body, problem, nil
}

// isTooLarge says whether a body is too long, or said to be: then it makes no difference why its end could not be read.
func isTooLarge(r *http.Request, err error, longest int) bool {
	var tooLarge *http.MaxBytesError
	return errors.As(err, &tooLarge) || r.ContentLength > int64(longest)
}

// isMalformed says whether a body could not be read because of how its chunks are written: sent again, they would be written so again. The
// package that reads chunks has no error types for that. So it is every error but those of a connection that breaks off, which are errors
// of the network or say that the end came early.
func isMalformed(r *http.Request, err error) bool {
	var network net.Error
	return r.ProtoMajor == 1 && slices.Contains(r.TransferEncoding, "chunked") &&
		!errors.As(err, &network) && !strings.Contains(err.Error(), "EOF")
}

func isPlain(encoding string) bool { return encoding == "" || encoding == "identity" }

// gzipMagic is how gzip begins, and JSON cannot: who forgets to say that a body is compressed is understood all the same.
func gzipMagic() []byte { return []byte{0x1f, 0x8b} }

// inflate decompresses gzip as far as it is sound and not too long: a small body can hold gigabytes.
func inflate(compressed []byte, memory *limit.Pass, longest int) ([]byte, *segment.Problem, error) {
	broken := &segment.Problem{
		Code: codeGzipInvalid,
		Message: "the body is gzip that is damaged or cut off, or none although content-encoding says so: " +
			"send it again or uncompressed",
	}
	r, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return compressed, broken, nil //nolint:nilerr // it is the sender who has to know
	}
	body, err := memory.ReadAll(io.LimitReader(r, int64(longest)+1), -1)
	switch {
	case shed(err):
		return nil, nil, err
	case len(body) > longest:
		return body[:longest], bodyTooLarge(longest), nil
	case err != nil:
		return body, broken, nil //nolint:nilerr // as above
	}
	return body, nil, nil
}

// checkCharset refuses text that says of itself that it is not UTF-8, which JSON is. Beyond that no content type is asked for: browsers
// send text/plain, and what is no JSON shows soon enough.
func checkCharset(r *http.Request) *segment.Problem {
	_, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type")) // a type that cannot be read says nothing about the text
	switch strings.ToLower(params["charset"]) {
	case "", "utf-8", "utf8", "us-ascii", "ascii":
		return nil
	}
	return &segment.Problem{Code: codeCharsetUnsupported, Message: "the charset of content-type is not supported: send JSON in UTF-8"}
}

// encoded says whether a body with that problem was not decoded. Of gzip there is what could be.
func encoded(p *segment.Problem) bool {
	return p.Code == codeEncodingUnsupported || p.Code == codeCharsetUnsupported
}

func bodyTooLarge(longest int) *segment.Problem {
	return &segment.Problem{Code: codeBodyTooLarge, Message: fmt.Sprintf("the body is longer than %d bytes: send less at once", longest)}
}
