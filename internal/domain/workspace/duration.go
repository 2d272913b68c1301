package workspace

import "time"

// Duration is a time.Duration written as "5m" or "90s". What is no such text is noted, and found by the check of the file.
type Duration time.Duration

// noDuration is what was written as a duration and is none. Nothing that is one is negative.
const noDuration Duration = -1

// MarshalYAML writes the duration as text.
func (d Duration) MarshalYAML() (any, error) { return time.Duration(d).String(), nil }

// SetText implements strictyaml.Text.
func (d *Duration) SetText(text string) {
	parsed, err := time.ParseDuration(text)
	if *d = Duration(parsed); err != nil || parsed < 0 {
		*d = noDuration
	}
}

// duration adds a problem if d is set and none, and says whether it did.
func (p *problems) duration(where string, d *Duration) (wrong bool) {
	wrong = d != nil && *d < 0
	if wrong {
		p.add("%s: not a duration such as 5m", where)
	}
	return wrong
}
