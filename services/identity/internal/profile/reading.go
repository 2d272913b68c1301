package profile

import "github.com/sojournhq/sojourn/internal/domain/call"

// Reading reads the dimensions of one account, from its own fields and from those of its users.
type Reading struct {
	dimensions *Dimensions
	// said is what has been read at each place of each dimension.
	said [][]said
}

// said is what fields say at one place: those of the account, or of all its users together.
type said struct {
	latest candidate
	what   saying
	some   bool // anything at all
	differ bool // not all the same
}

// saying is what one field says, so that two which say the same are equal.
type saying struct {
	value Value
	wrong string
	raw   call.Value // if it is wrong, and no object
}

// Read begins to read the dimensions of an account that has these fields.
func (d *Dimensions) Read(account []Field) *Reading {
	r := &Reading{dimensions: d}
	if d == nil {
		return r
	}
	r.said = make([][]said, len(d.all))
	for i := range d.all {
		r.said[i] = make([]said, len(d.places[i]))
	}
	r.hear(call.Group, d.group.candidates(account, Settings{}))
	return r
}

// NeedsUsers says whether the account's own fields leave something to its users.
func (r *Reading) NeedsUsers() bool {
	for i := range r.said {
		for j, place := range r.dimensions.places[i] {
			if place.Type == call.Identify {
				return true
			}
			if r.said[i][j].some {
				break
			}
		}
	}
	return false
}

// AddUser reads the fields of one user of the account.
func (r *Reading) AddUser(fields []Field) {
	if r.dimensions != nil {
		r.hear(call.Identify, r.dimensions.identify.candidates(fields, Settings{}))
	}
}

func (r *Reading) hear(from call.Type, found map[string]candidate) {
	for i, d := range r.dimensions.all {
		for j, place := range r.dimensions.places[i] {
			c, ok := found[place.Path]
			if ok && place.Type == from && !c.clears() && (!c.misplaced() || !d.forks(place)) {
				r.said[i][j].add(c, d.Type)
			}
		}
	}
}

func (s *said) add(c candidate, t DimensionType) {
	var what saying
	what.value, what.wrong = t.read(c)
	if what.wrong != fine && !c.below {
		what.raw = c.Value
	}
	s.differ = s.differ || s.some && what != s.what
	if !s.some || c.beats(s.latest) {
		s.latest, s.what = c, what
	}
	s.some = true
}

// Values returns the dimensions that have a value, and what is wrong with any, both in the order in which dimensions are configured.
func (r *Reading) Values() (values []DimensionValue, problems []Problem) {
	for i, d := range r.dimensions.All() {
		s := first(r.said[i])
		if s == nil {
			continue
		}
		if s.what.wrong == fine {
			values = append(values, DimensionValue{Name: d.Name, Type: d.Type, Value: s.what.value})
		} else {
			problems = append(problems, Problem{Code: s.what.wrong, Dimension: d.Name})
		}
		if s.differ {
			problems = append(problems, Problem{Code: DimensionConflict, Dimension: d.Name})
		}
	}
	return values, problems
}

// first returns what was said at the first place at which anything was.
func first(places []said) *said {
	for i := range places {
		if places[i].some {
			return &places[i]
		}
	}
	return nil
}
