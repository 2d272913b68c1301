package mention

import "strings"

// few is how many ids are few.
const few = 100

// searched is how long an id must be to be looked for inside of words as well: shorter ones would be found everywhere by chance.
const searched = 6

// IDs looks for ids that are known. Use New.
type IDs struct {
	few      []string // all of them, if they are so few that looking for one after the other is quicker
	all      map[string]bool
	longest  int
	byPrefix map[[searched]byte][]string
}

// New returns a search for ids. It takes as long for many as it does for one.
func New(ids ...string) *IDs {
	s := &IDs{all: map[string]bool{}, byPrefix: map[[searched]byte][]string{}}
	if len(ids) <= few {
		s.few = ids
	}
	for _, id := range ids {
		s.all[id] = true
		s.longest = max(s.longest, len(id))
		if len(id) >= searched {
			prefix := [searched]byte([]byte(id[:searched]))
			s.byPrefix[prefix] = append(s.byPrefix[prefix], id)
		}
	}
	return s
}

// In returns the ids that body names, each once: those among its Names, and longer ones that stand anywhere in it.
func (s *IDs) In(body []byte) []string {
	if s.few != nil && !s.anyIn(body) {
		return nil
	}
	found := map[string]bool{}
	for name := range Names(body, s.longest) {
		if s.all[name] {
			found[name] = true
		}
	}
	plain := string(body)
	s.inside(plain, found)
	if escaped := Unescape(body); escaped != plain {
		s.inside(escaped, found)
	}
	ids := make([]string, 0, len(found))
	for id := range found {
		ids = append(ids, id)
	}
	return ids
}

// anyIn says whether one of few ids stands anywhere in body: what is among its names, or inside of a word, does.
func (s *IDs) anyIn(body []byte) bool {
	plain := string(body)
	escaped := Unescape(body)
	for _, id := range s.few {
		if strings.Contains(plain, id) || strings.Contains(escaped, id) {
			return true
		}
	}
	return false
}

func (s *IDs) inside(text string, found map[string]bool) {
	if len(s.byPrefix) == 0 {
		return
	}
	for i := 0; i+searched <= len(text); i++ {
		for _, id := range s.byPrefix[[searched]byte([]byte(text[i:i+searched]))] {
			if strings.HasPrefix(text[i:], id) {
				found[id] = true
			}
		}
	}
}
