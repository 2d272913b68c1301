package expect

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// ErrDiffers says that a state is not what the calls make it.
var ErrDiffers = errors.New("the state differs from what was sent")

// Compare reads a dump and returns how many lines of it are of the sample, and an error unless those are just what they must be.
func (s *State) Compare(dump io.Reader, workspace, source string) (int, error) {
	want, err := s.Lines(workspace, source)
	if err != nil {
		return 0, err
	}
	users, accounts := map[string]bool{}, map[string]bool{}
	for number := range s.users {
		users[s.stream.UserID(number)] = true
	}
	for number := range s.accounts {
		accounts[s.stream.AccountID(number)] = true
	}
	same, extra, example := 0, 0, ""
	lines := bufio.NewScanner(dump)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		line := lines.Bytes()
		switch {
		case want[string(line)]:
			delete(want, string(line))
			same++
		case users[text(line, `"userId":"`)], text(line, `"kind":"`) == "account" && accounts[text(line, `"accountId":"`)],
			text(line, `"kind":"`) == "outcome":
			extra++
			example = string(line)
		}
	}
	if err := lines.Err(); err != nil {
		return same, err
	}
	if extra == 0 && len(want) == 0 {
		return same, nil
	}
	for line := range want {
		example = fmt.Sprintf("%s\nmissing: %s", example, line)
		break
	}
	return same, fmt.Errorf("%w: of the sample %d lines are right, %d missing, %d wrong or too many, as %s", ErrDiffers, same, len(want), extra, example)
}

// text returns the text that stands behind a key in a line. No id of a stream has anything in it that JSON would escape.
func text(line []byte, key string) string {
	_, behind, found := bytes.Cut(line, []byte(key))
	if !found {
		return ""
	}
	value, _, _ := bytes.Cut(behind, []byte(`"`))
	return string(value)
}
