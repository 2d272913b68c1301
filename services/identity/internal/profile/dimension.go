package profile

import (
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/call"
)

// DimensionType is what the values of a dimension are.
type DimensionType int8

// The types of dimensions.
const (
	StringDimension DimensionType = iota + 1
	NumberDimension
	DateDimension
)

// Dimension is something to be known of each account beside the contract's traits.
type Dimension struct {
	Name string
	Type DimensionType
	// From says where the value stands. The first place that has one counts, also if it is of the wrong type.
	From []call.Place
	// Mapped says that sources are mapped to find values. These count before those of any place.
	Mapped bool
}

// places returns all places, in the order in which they count. What group calls said of an account goes before what identify calls did.
func (d *Dimension) places() []call.Place {
	if !d.Mapped {
		return d.From
	}
	path := call.DimensionPath(d.Name)
	return append([]call.Place{{Type: call.Group, Path: path}, {Type: call.Identify, Path: path}}, d.From...)
}

// forks says whether the dimension is also read from within the object that may stand at a place, or from what may stand in the place of an
// object around it: then neither is a mistake.
func (d *Dimension) forks(place call.Place) bool {
	through := func(object, path string) bool {
		return slices.ContainsFunc(call.Objects(path), func(o string) bool { return call.Canonical(o) == call.Canonical(object) })
	}
	return slices.ContainsFunc(d.From, func(p call.Place) bool {
		return p.Type == place.Type && (through(place.Path, p.Path) || through(p.Path, place.Path))
	})
}

// Dimensions are the dimensions of one workspace, ready to be read. Nil: there are none.
type Dimensions struct {
	all []Dimension
	// places are those of each dimension.
	places [][]call.Place
	// The paths of all places, in group and in identify calls.
	group, identify *schema
}

// NewDimensions makes dimensions ready to be read.
func NewDimensions(all []Dimension) *Dimensions {
	paths := map[call.Type][]string{}
	places := make([][]call.Place, len(all))
	for i := range all {
		places[i] = all[i].places()
		for _, p := range places[i] {
			paths[p.Type] = append(paths[p.Type], p.Path)
		}
	}
	return &Dimensions{all: all, places: places, group: newPathSchema(paths[call.Group]), identify: newPathSchema(paths[call.Identify])}
}

// paths returns the schema of the paths in calls of a type, or nil if there are no dimensions.
func (d *Dimensions) paths(from call.Type) *schema {
	switch {
	case d == nil:
		return nil
	case from == call.Group:
		return d.group
	}
	return d.identify
}

// All returns the dimensions in the order in which they are configured.
func (d *Dimensions) All() []Dimension {
	if d == nil {
		return nil
	}
	return d.all
}

// DimensionValue is the value that a dimension has for one account. Which member of the value is set follows from the type.
type DimensionValue struct {
	Name  string
	Type  DimensionType
	Value Value
}

// Codes of the problems of dimensions.
const (
	// DimensionWrongType: the value is none of the dimension's type, and left out.
	DimensionWrongType = "dimension_wrong_type"
	// DimensionConflict: users of the account have different values; the latest was taken.
	DimensionConflict = "dimension_conflict"
	// DimensionTooLarge: the value was too large to be kept.
	DimensionTooLarge = "dimension_too_large"
)

// read returns a value as the type has it, and what is wrong with it. Text may also be a number or a flag, in the way in which it was
// sent.
func (t DimensionType) read(f candidate) (value Value, wrong string) {
	switch {
	case f.misplaced():
		return Value{}, DimensionWrongType
	case f.TooLarge:
		return Value{}, DimensionTooLarge
	case t == StringDimension && f.Value.Kind == call.Bool:
		return Value{Text: f.Value.Text}, fine
	case t == StringDimension:
		value.Text, wrong = readText(f.Value)
	case t == NumberDimension:
		value.Number, wrong = readDecimal(f.Value)
	case t == DateDimension:
		value.TimeMS, wrong = readTime(f.Value)
	}
	if wrong != fine {
		return Value{}, DimensionWrongType
	}
	return value, fine
}
