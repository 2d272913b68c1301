package profile

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/timestamp"
)

// maxDescription is how many characters of a description are shown.
const maxDescription = 512

// Settings are what one workspace wants to see of its accounts.
type Settings struct {
	// Tiers and LifecycleStages are the names that an account's tier and lifecycle stage may have. None set: none may be had.
	Tiers, LifecycleStages []string
	// Dimensions are what is to be known of accounts beside the contract's traits.
	Dimensions *Dimensions
}

// Value is the value of a trait; which member is set follows from the trait.
type Value struct {
	Text   string
	Number float64
	TimeMS int64
	Bool   bool
}

// What can be wrong with a value; the end of a problem's code.
const (
	fine     = ""
	invalid  = "invalid"
	unknown  = "unknown"
	tooLong  = "too_long"
	tooLarge = "too_large"
)

// read returns the value as the trait's kind, and what is wrong with it. Only a value that is fine or too long can be used.
func (s Settings) read(k kind, v call.Value) (value Value, wrong string) {
	switch k {
	case asText:
		value.Text, wrong = readText(v)
	case asDescription:
		value.Text, wrong = readText(v)
		if cut, ok := cutCharacters(value.Text, maxDescription); ok {
			value.Text, wrong = cut, tooLong
		}
	case asNumber:
		value.Number, wrong = readNumber(v)
	case asTime:
		value.TimeMS, wrong = readTime(v)
	case asFlag:
		value.Bool, wrong = readFlag(v)
	case asTier:
		value.Text, wrong = readName(v, s.Tiers)
	case asStage:
		value.Text, wrong = readName(v, s.LifecycleStages)
	}
	return value, wrong
}

// usable says whether a trait can have the value.
func (s Settings) usable(t *trait, v call.Value) bool {
	_, wrong := s.read(t.kind, v)
	return wrong == fine
}

// readText takes strings as they are and numbers in their decimal text: postal codes and telephone numbers come either way.
func readText(v call.Value) (text, wrong string) {
	if v.Kind != call.String && v.Kind != call.Number {
		return "", invalid
	}
	return v.Text, fine
}

func readName(v call.Value, names []string) (name, wrong string) {
	name, wrong = readText(v)
	if wrong != fine {
		return "", wrong
	}
	if name = strings.TrimSpace(name); !slices.Contains(names, name) {
		return "", unknown
	}
	return name, fine
}

func readNumber(v call.Value) (n float64, wrong string) {
	if n, wrong = readDecimal(v); n < 0 {
		return 0, invalid
	}
	return n, wrong
}

func readDecimal(v call.Value) (n float64, wrong string) {
	decimal, wrong := readText(v)
	if wrong != fine {
		return 0, wrong
	}
	decimal = strings.TrimSpace(decimal)
	// ParseFloat reads more than decimal numbers.
	if strings.Trim(decimal, "0123456789.eE+-") != "" {
		return 0, invalid
	}
	n, err := strconv.ParseFloat(decimal, 64)
	if err != nil {
		return 0, invalid
	}
	return n + 0, fine // -0 is 0
}

func readTime(v call.Value) (ms int64, wrong string) {
	var err error
	switch v.Kind {
	case call.String:
		ms, _, err = timestamp.Parse(v.Text)
	case call.Number:
		ms, err = timestamp.ParseNumber(v.Text)
	default:
		return 0, invalid
	}
	if err != nil {
		return 0, invalid
	}
	return ms, fine
}

func readFlag(v call.Value) (b bool, wrong string) {
	if v.Kind == call.JSON || v.Kind == call.Null {
		return false, invalid
	}
	switch strings.ToLower(strings.TrimSpace(v.Text)) {
	case "true", "1":
		return true, fine
	case "false", "0":
		return false, fine
	}
	return false, invalid
}

// cutCharacters returns the first n characters of text, and whether it has more.
func cutCharacters(text string, n int) (cut string, longer bool) {
	for i := range text {
		if n == 0 {
			return text[:i], true
		}
		n--
	}
	return text, false
}
