package workspace

import (
	"slices"
	"strings"
)

// AbsentIDs are texts that stand for "no id". None that are set is another thing than not set.
type AbsentIDs []string

// IsZero says whether they are not set, so that a list that is set to nothing is written back.
func (a AbsentIDs) IsZero() bool { return a == nil }

// DefaultAbsentIDs returns the texts that stand for "no id" unless a source names its own: what languages print for nothing, for an object
// and for a promise, what template languages leave of a place that was not filled, and the UUID of zeros.
func DefaultAbsentIDs() []string {
	return []string{
		"null", "undefined", "None", "NaN", "(null)", "<nil>", "<null>", "[object *]",
		"{{*}}", "${*}", "#{*}", "<%*%>", "%%*%%",
		"00000000-0000-0000-0000-000000000000",
	}
}

// IsAbsentID says whether an id, which is not empty, is in a list of absent ids. One "*" in an entry, with other text before or behind it,
// stands for any text, or none. Every other entry is a text to the letter.
func IsAbsentID(entries []string, id string) bool {
	return slices.ContainsFunc(entries, func(entry string) bool {
		if entry == "" || entry[0] != id[0] && entry[0] != '*' {
			return false // as nearly always
		}
		begin, end, open := strings.Cut(entry, "*")
		if !open || begin+end == "" || strings.Contains(end, "*") {
			return entry == id
		}
		return len(id) >= len(begin)+len(end) && strings.HasPrefix(id, begin) && strings.HasSuffix(id, end)
	})
}
