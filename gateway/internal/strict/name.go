package strict

import (
	"strings"
)

// maxName is how long a name may be that an error repeats.
const maxName = 64

// isName says whether what was sent in place of a name is spelt like one. Nothing else is repeated in an error: it may be what a user
// typed.
func isName(text string) bool {
	if text == "" || len(text) > maxName || text[0] >= '0' && text[0] <= '9' {
		return false
	}
	for _, r := range text {
		if r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return false
		}
	}
	return true
}

// plain returns a name without what differs between snake_case, camelCase, kebab-case and CONSTANT_CASE.
func plain(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
}

// nearest returns the name that is most like the one that was sent, and how many letters differ; none if none is like it. Names are
// compared in their plain form.
func nearest(sent string, names []string, plain func(string) string) (near string, distance int) {
	if len(sent) > maxName {
		return "", 0
	}
	s := plain(sent)
	for _, name := range names {
		n := plain(name)
		d := differing(s, n)
		if !isLike(s, n, d) {
			continue
		}
		if near == "" || d < distance {
			near, distance = name, d
		}
	}
	return near, distance
}

// isLike says whether a name may be meant by another: a third of the letters may differ, or one begins with all of the other.
func isLike(sent, name string, distance int) bool {
	const shortest = 4 // of beginnings that say anything
	shorter := min(len(sent), len(name))
	begins := shorter >= shortest && sent[:shorter] == name[:shorter]
	return begins || distance <= max(1, max(len(sent), len(name))/3) && distance < shorter
}

// differing counts the letters that have to be added, removed, replaced or swapped with the next to make a of b.
func differing(a, b string) int {
	// Rows of the table of distances between beginnings of a and b: the one before the last, the last, and this one.
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			same := 1
			if a[i-1] == b[j-1] {
				same = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+same)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
