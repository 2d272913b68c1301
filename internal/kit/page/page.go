// Package page makes the tokens by which a client goes from one page of a listing to the next.
package page

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Page sizes.
const (
	DefaultSize = 100
	MaxSize     = 1000
)

// Errors for requests that cannot be served. Both are the client's.
var (
	ErrToken = errors.New("page_token is not one that this request returned")
	ErrSize  = errors.New("page_size is negative")
)

// Size returns how many rows a page has for a requested size: the default for 0, the maximum for more than that.
func Size(requested int32) (int, error) {
	switch {
	case requested < 0:
		return 0, ErrSize
	case requested == 0:
		return DefaultSize, nil
	default:
		return min(int(requested), MaxSize), nil
	}
}

// Token returns an opaque text that holds a position, a list of strings, and is bound to request: it is good for the same request with
// another page_size or page_token, and for no other.
func Token(request proto.Message, position ...string) (string, error) {
	bound, err := digest(request)
	if err != nil {
		return "", err
	}
	for _, part := range position {
		bound = binary.AppendUvarint(bound, uint64(len(part)))
		bound = append(bound, part...)
	}
	return base64.RawURLEncoding.EncodeToString(bound), nil
}

// Position returns the position in a token that Token made for the same request, with n parts; nil for an empty token; ErrToken else.
func Position(request proto.Message, token string, n int) ([]string, error) {
	if token == "" {
		return nil, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || base64.RawURLEncoding.EncodedLen(len(raw)) != len(token) { // the decoder skips the ends of lines
		return nil, ErrToken
	}
	want, err := digest(request)
	if err != nil {
		return nil, err
	}
	if len(raw) < len(want) || string(raw[:len(want)]) != string(want) {
		return nil, ErrToken
	}
	raw = raw[len(want):]
	position := make([]string, 0, n)
	for len(raw) > 0 {
		size, used := binary.Uvarint(raw)
		if used <= 0 || size > uint64(len(raw)-used) {
			return nil, ErrToken
		}
		position = append(position, string(raw[used:used+int(size)]))
		raw = raw[used+int(size):]
	}
	if len(position) != n {
		return nil, ErrToken
	}
	return position, nil
}

// digest hashes the request without what differs from page to page.
func digest(request proto.Message) ([]byte, error) {
	same := proto.Clone(request)
	fields := same.ProtoReflect().Descriptor().Fields()
	for _, name := range []protoreflect.Name{"page_size", "page_token"} {
		if f := fields.ByName(name); f != nil {
			same.ProtoReflect().Clear(f)
		}
	}
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(same)
	if err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	sum := sha256.Sum256(append([]byte(same.ProtoReflect().Descriptor().FullName()), encoded...))
	return sum[:8], nil
}
