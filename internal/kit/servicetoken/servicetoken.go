// Package servicetoken is the secret by which services know their gateway: lines of a file that both sides have.
//
// Several lines are valid at once, and the first is what is sent. So a token is changed without anybody being refused: add the new one
// behind the old on all sides, then move it to the front, then take the old one out.
package servicetoken

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"strings"

	"github.com/sojournhq/sojourn/internal/kit/livefile"
)

// minBytes is how long a token is at least.
const minBytes = 16

// Tokens are the tokens of a file, followed as it changes. They implement credentials.PerRPCCredentials, which sends the first.
type Tokens struct{ file *livefile.Files[lines] }

// lines are the tokens of one state of the file.
type lines struct {
	first  string
	hashes [][sha256.Size]byte
}

// Open reads the file at path: one token a line, empty lines and those that begin with # left out. The error shows none.
func Open(path string, log *slog.Logger) (*Tokens, error) {
	file, err := livefile.Open([]string{path}, func(texts [][]byte) (lines, error) { return parse(path, string(texts[0])) }, log)
	if err != nil {
		return nil, err
	}
	return &Tokens{file}, nil
}

func parse(path, text string) (lines, error) {
	var l lines
	n := 0
	for line := range strings.Lines(text) {
		n++
		token := strings.TrimSpace(line)
		switch {
		case token == "" || token[0] == '#':
			continue
		case len(token) < minBytes:
			return l, fmt.Errorf("%s: line %d is shorter than %d characters", path, n, minBytes)
		case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
			return l, fmt.Errorf("%s: line %d holds a space or a character beyond ASCII", path, n)
		}
		if l.first == "" {
			l.first = token
		}
		l.hashes = append(l.hashes, sha256.Sum256([]byte(token)))
	}
	if l.first == "" {
		return l, fmt.Errorf("%s: holds no token", path)
	}
	return l, nil
}

// Valid says whether token is one of the file. How long it takes says nothing about them.
func (t *Tokens) Valid(token string) bool {
	hash, found := sha256.Sum256([]byte(token)), 0
	for _, known := range t.file.Now().hashes {
		found |= subtle.ConstantTimeCompare(hash[:], known[:])
	}
	return found == 1
}

// Bearer begins the metadata "authorization" of a request; the token follows it.
const Bearer = "Bearer "

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (t *Tokens) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": Bearer + t.file.Now().first}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials. Whether to encrypt is the operator's choice.
func (*Tokens) RequireTransportSecurity() bool { return false }
