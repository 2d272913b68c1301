package profile

import (
	"math/bits"
	"strings"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/timestamp"
)

// Looks is what values look like: one of the constants, or several of them together.
type Looks uint8

// What a value can look like.
const (
	LikeText Looks = 1 << iota
	LikeNumber
	LikeFlag
	LikeDate // text that reads as a time
	LikeList
)

// Mixed says whether values look like more than one thing.
func (l Looks) Mixed() bool { return bits.OnesCount8(uint8(l)) > 1 }

// Sighting is a trait that stands in the fields of an account or a user.
type Sighting struct {
	// Place is where it stands, in the spelling of its latest value.
	Place call.Place
	// Name is the same for all spellings of the place.
	Name  string
	Looks Looks
	// TimeMS is when the value was sent.
	TimeMS int64
}

// Unmapped returns what stands in the fields of an account (Group) or a user (Identify) and means nothing: neither the contract knows it
// nor is a dimension read from it. What was cleared or was too large to keep does not stand there, and nor does what a mapping found for a
// dimension: no trait was sent with it.
func (s Settings) Unmapped(from call.Type, fields []Field) (seen []Sighting) {
	latest := make(map[string]candidate, len(fields))
	for _, f := range fields {
		if f.Value.Kind == call.JSON && f.Value.Text == emptyObject {
			continue
		}
		name, c := call.Canonical(f.Path), candidate{Field: f}
		if old, ok := latest[name]; !ok || c.beats(old) {
			latest[name] = c
		}
	}
	for name, c := range latest {
		if call.IsDimension(name) || s.means(from, name) || c.TooLarge || c.clears() || overwritten(c, latest) {
			continue
		}
		seen = append(seen, Sighting{
			Place:  call.Place{Type: from, Path: c.Path},
			Name:   call.Place{Type: from, Path: name}.String(),
			Looks:  looks(c.Value),
			TimeMS: c.At.TimeMS,
		})
	}
	return seen
}

// means says whether the contract or a dimension reads something from a canonical path.
func (s Settings) means(from call.Type, path string) bool {
	contract := accountTraits
	if from == call.Identify {
		contract = userTraits
	}
	return contract.reads(path) || s.Dimensions.paths(from).reads(path)
}

// overwritten says whether something else was sent later in the place of an object that the candidate stands in.
func overwritten(c candidate, latest map[string]candidate) bool {
	for _, object := range call.Objects(c.Path) {
		if other, ok := latest[call.Canonical(object)]; ok && other.At.Compare(c.At) > 0 {
			return true
		}
	}
	return false
}

func looks(v call.Value) Looks {
	switch v.Kind {
	case call.Number:
		return LikeNumber
	case call.Bool:
		return LikeFlag
	case call.JSON:
		return LikeList
	case call.String, call.Null:
	}
	// Digits alone can be read as a time too, but mean an id or a telephone number more often.
	if _, _, err := timestamp.Parse(v.Text); err == nil && strings.Contains(v.Text, "-") {
		return LikeDate
	}
	return LikeText
}
