package activity

import (
	"cmp"
	"maps"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/day"
)

// A page is full when it has so many marks, or so many bytes of user ids.
const (
	maxMarks   = 200_000
	maxIDBytes = 4 << 20
)

// Page gathers what users did, one user after the other.
type Page struct {
	activity Activity
	modules  map[uint32]*module
	features map[uint64]*feature
	days     map[day.Day]*Amount
	idBytes  int
	maxMarks int

	known   bool // the user is one
	serial  uint32
	bits    []uint64 // by place: the user's days
	touched []uint32 // places where the user has any
}

// module is one module of the page.
type module struct {
	index  uint32
	places []blockPlaces // in order
}

// blockPlaces are the two places of a block, those of visits last; each is one more than its index, 0 if there is none yet.
type blockPlaces struct {
	block  uint32
	places [2]uint32
}

type feature struct {
	Feature

	in     *module
	days   []featureDays // in order
	serial uint32        // the last user of it
}

// featureDays are the days of one block on which a feature was used, by anybody, and by the user of that serial.
type featureDays struct {
	block, serial uint32
	any, mine     uint64
}

// NewPage returns an empty page of a query's answer.
func NewPage(q Query) *Page {
	return &Page{
		maxMarks: cmp.Or(q.MaxMarks, maxMarks),
		modules:  map[uint32]*module{}, features: map[uint64]*feature{}, days: map[day.Day]*Amount{},
	}
}

// Begin begins with what a user did, or what nobody did who is known.
func (p *Page) Begin(known bool) { p.known, p.serial = known, p.serial+1 }

// Use adds uses of a feature on one day. Name returns the name of a number; it is asked once for each.
func (p *Page) Use(moduleNumber, featureNumber uint32, d day.Day, uses, lastMS int64, name func(uint32) (string, error)) error {
	key := uint64(moduleNumber)<<32 | uint64(featureNumber)
	f, ok := p.features[key]
	if !ok {
		in, err := p.module(moduleNumber, name)
		if err != nil {
			return err
		}
		f = &feature{in: in}
		f.Module = in.index
		if f.Feature.Feature, err = name(featureNumber); err != nil {
			return err
		}
		p.features[key] = f
	}
	p.addTo(f, d, uses, lastMS)
	p.mark(f.in, d, false)
	p.day(d).Uses += uses
	return nil
}

// UseOfAny adds uses on one day without telling of which feature.
func (p *Page) UseOfAny(d day.Day, uses int64) {
	p.mark(p.all(), d, false)
	p.day(d).Uses += uses
}

// Time adds time in a module on one day; none is a visit. Name returns the name of a number; it is asked once for each.
func (p *Page) Time(moduleNumber uint32, d day.Day, durationMS, activeMS int64, name func(uint32) (string, error)) error {
	m, err := p.module(moduleNumber, name)
	if err != nil {
		return err
	}
	p.addTime(m, d, durationMS, activeMS)
	return nil
}

// TimeInAny adds time on one day without telling in which module.
func (p *Page) TimeInAny(d day.Day, durationMS, activeMS int64) {
	p.addTime(p.all(), d, durationMS, activeMS)
}

func (p *Page) addTime(in *module, d day.Day, durationMS, activeMS int64) {
	m := &p.activity.Modules[in.index]
	m.DurationMS += durationMS
	m.ActiveMS += activeMS
	if p.known {
		m.UserDurationMS += durationMS
		m.UserActiveMS += activeMS
	}
	amount := p.day(d)
	amount.DurationMS += durationMS
	amount.ActiveMS += activeMS
	p.mark(in, d, durationMS == 0)
}

// End ends with the user, whose id it takes if anything was told of the user.
func (p *Page) End(userID func() (string, error)) error {
	if len(p.touched) == 0 {
		return nil
	}
	id, err := userID()
	if err != nil {
		return err
	}
	a := &p.activity
	a.UserIDs, a.UserMarks = append(room(a.UserIDs, 1), id), append(room(a.UserMarks, 1), uint32(len(p.touched)))
	a.MarkPlaces, a.MarkDays = append(room(a.MarkPlaces, len(p.touched)), p.touched...), room(a.MarkDays, len(p.touched))
	for _, place := range p.touched {
		a.MarkDays = append(a.MarkDays, p.bits[place])
		p.bits[place] = 0
	}
	p.touched = p.touched[:0]
	p.idBytes += len(id)
	return nil
}

// room returns a list with room for n more: twice as much when there is none, for lists here become long.
func room[T any](list []T, n int) []T {
	if cap(list)-len(list) >= n {
		return list
	}
	return slices.Grow(list, max(n, len(list), 256))
}

// Full says whether the page is to end.
func (p *Page) Full() bool {
	return len(p.activity.MarkPlaces) >= p.maxMarks || p.idBytes >= maxIDBytes
}

// Activity returns what was added. The next page begins at next, 0: there is none.
func (p *Page) Activity(next uint32) *Activity {
	a := &p.activity
	for _, f := range p.features {
		for _, d := range f.days {
			f.Days = append(f.Days, Days{d.block, d.any})
		}
		a.Features = append(a.Features, f.Feature)
	}
	for _, d := range slices.Sorted(maps.Keys(p.days)) {
		a.Days = append(a.Days, *p.days[d])
	}
	a.Next = next
	return a
}

// module returns the module that has a number.
func (p *Page) module(number uint32, name func(uint32) (string, error)) (*module, error) {
	if m, ok := p.modules[number]; ok {
		return m, nil
	}
	text, err := name(number)
	if err != nil {
		return nil, err
	}
	return p.newModule(number, text), nil
}

// all returns the module without a name.
func (p *Page) all() *module {
	if m, ok := p.modules[0]; ok {
		return m
	}
	return p.newModule(0, "")
}

func (p *Page) newModule(number uint32, name string) *module {
	m := &module{index: uint32(len(p.activity.Modules))}
	p.modules[number] = m
	p.activity.Modules = append(p.activity.Modules, Module{Module: name})
	return m
}

func (p *Page) day(d day.Day) *Amount {
	amount, ok := p.days[d]
	if !ok {
		amount = &Amount{Day: d}
		p.days[d] = amount
	}
	return amount
}

// addTo adds uses on a day to a feature.
func (p *Page) addTo(f *feature, d day.Day, uses, lastMS int64) {
	block, bit := split(d)
	i, ok := slices.BinarySearchFunc(f.days, block, func(d featureDays, block uint32) int { return cmp.Compare(d.block, block) })
	if !ok {
		f.days = slices.Insert(f.days, i, featureDays{block: block})
	}
	days := &f.days[i]
	days.any |= bit
	f.Uses += uses
	f.LastMS = max(f.LastMS, lastMS)
	if !p.known {
		return
	}
	f.UserUses += uses
	if f.serial != p.serial {
		f.serial = p.serial
		f.Users++
	}
	if days.serial != p.serial {
		days.serial, days.mine = p.serial, 0
	}
	if days.mine&bit == 0 {
		days.mine |= bit
		f.UserDays++
	}
}

// mark marks that the user was in a module on a day.
func (p *Page) mark(in *module, d day.Day, visit bool) {
	block, bit := split(d)
	i, ok := slices.BinarySearchFunc(in.places, block, func(b blockPlaces, block uint32) int { return cmp.Compare(b.block, block) })
	if !ok {
		in.places = slices.Insert(in.places, i, blockPlaces{block: block})
	}
	kind := 0
	if visit {
		kind = 1
	}
	place := &in.places[i].places[kind]
	if *place == 0 {
		p.activity.Places = append(p.activity.Places, Place{Module: in.index, Block: block, Visit: visit})
		p.bits = append(p.bits, 0)
		*place = uint32(len(p.bits))
	}
	at := *place - 1
	if p.bits[at] == 0 {
		p.touched = append(p.touched, at)
	}
	p.bits[at] |= bit
}
