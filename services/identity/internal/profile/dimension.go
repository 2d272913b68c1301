package profile

import "github.com/sojournhq/sojourn/internal/domain/call"

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
	// From says where the value stands. The first place that has one counts.
	From []call.Place
}

// Dimensions are the dimensions of one workspace. Nil: there are none.
type Dimensions struct{ all []Dimension }

// NewDimensions makes dimensions ready to be read.
func NewDimensions(all []Dimension) *Dimensions { return &Dimensions{all: all} }

// All returns the dimensions in the order in which they are configured.
func (d *Dimensions) All() []Dimension {
	if d == nil {
		return nil
	}
	return d.all
}
