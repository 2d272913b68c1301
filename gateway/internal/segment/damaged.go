package segment

// keyInDamaged returns the write key of an object that cannot be read as JSON, or "". It takes only a key that is a member of the object
// itself, never what stands in a text or deeper inside, for that is the customer's. So it needs texts to end and brackets to fit: where the
// damage leaves that in doubt, there is no key. The end of the body may be missing.
func keyInDamaged(body []byte) string {
	s := damagedScan{body: body}
	for s.at < len(body) {
		if !s.step() {
			return ""
		}
	}
	return s.key
}

// damagedScan goes through a damaged object.
type damagedScan struct {
	body   []byte
	at     int
	open   []byte // the brackets that are open
	before byte   // what stands before, but for space; a quote for a text
	ended  bool   // the object was closed
	key    string
}

// step reads the next text, bracket or other byte. False: where texts and objects begin and end is in doubt.
func (s *damagedScan) step() bool {
	c := s.body[s.at]
	if isSpace(c) {
		s.at++
		return true
	}
	if s.ended {
		return false // something follows the object
	}
	s.at++
	switch c {
	case '"':
		return s.text()
	case '{', '[':
		s.open = append(s.open, c)
		if s.open[0] == '[' {
			return false // an array has no key
		}
	case '}', ']':
		if !s.close(c) {
			return false
		}
	case '\\':
		return false // it belongs into a text, so a quote is missing or too many
	}
	s.before = c
	return true
}

// close closes the last bracket, if this one fits.
func (s *damagedScan) close(c byte) bool {
	last := len(s.open) - 1
	if last < 0 || (s.open[last] == '{') != (c == '}') {
		return false
	}
	s.open = s.open[:last]
	s.ended = last == 0
	return true
}

// text reads a text behind its opening quote, and the key behind it if it is the key's name.
func (s *damagedScan) text() bool {
	start, isName := s.at-1, len(s.open) == 1 && (s.before == '{' || s.before == ',')
	s.before = '"'
	if s.at = endOfText(s.body, s.at); s.at < 0 {
		s.at = len(s.body) // the end is missing
		return true
	}
	if !isName || !isText(s.body[start:s.at], "writeKey") {
		return true
	}
	colon := skipSpace(s.body, s.at)
	value := skipSpace(s.body, colon+1)
	if colon >= len(s.body) || s.body[colon] != ':' || value >= len(s.body) || s.body[value] != '"' {
		return true
	}
	return s.value(value)
}

// value reads the key at its opening quote. It must be whole, and the only one.
func (s *damagedScan) value(start int) bool {
	end := endOfText(s.body, start+1)
	if end < 0 {
		return false
	}
	next := skipSpace(s.body, end)
	if next < len(s.body) && s.body[next] != ',' && s.body[next] != '}' {
		return false
	}
	key, ok := text(s.body[start:end])
	if !ok || s.key != "" && s.key != key {
		return false
	}
	s.key, s.at = key, end
	return true
}

// endOfText returns where a text ends, behind its closing quote; -1: it does not.
func endOfText(body []byte, i int) int {
	for ; i < len(body); i++ {
		switch body[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

func skipSpace(body []byte, i int) int {
	for i < len(body) && isSpace(body[i]) {
		i++
	}
	return i
}
