package report

import (
	"math/bits"

	"github.com/sojournhq/sojourn/internal/domain/day"
)

// join joins answers. One user may be in several of them.
func join(answers []*answer) *deeds {
	j := &joiner{
		deeds: deeds{
			total: tally{days: days{}}, modules: map[string]*module{}, features: map[inModule]*tally{}, days: map[day.Day]*amount{},
			numbers: map[string]int{},
		},
		place: map[stretchID]uint32{}, block: map[uint32]uint32{},
	}
	for _, a := range answers {
		j.addDays(a)
		modules := j.addModules(a)
		j.addFeatures(a, modules)
		j.addMarks(a, j.addPlaces(a, modules))
	}
	_, nameless := j.numbers[""]
	j.used = make([]bool, len(j.last))
	for number := range j.last {
		if nameless && number == j.numbers[""] {
			j.count(number, nobody)
		} else {
			j.count(number, number)
		}
	}
	j.tellDays()
	return &j.deeds
}

// joiner joins answers. Places and blocks have numbers, so that what is known of them stands in lists.
type joiner struct {
	deeds

	marks  []marks
	last   []int32 // by user: how many marks there were when the user's last were taken in
	places []stretch
	blocks []block
	place  map[stretchID]uint32
	block  map[uint32]uint32

	// The places and blocks in which the user who is counted has any days.
	inPlaces, inBlocks []uint32
}

// marks are those of one user in one answer.
type marks struct {
	places []uint32 // as the answer numbers them
	days   []uint64
	ours   []uint32 // how we do
	before int32    // the user's before these, as in joiner.last; 0: none
}

// stretchID names 64 days in a module.
type stretchID struct {
	module *module
	block  uint32 // by number
	visit  bool
}

// stretch is 64 days in a module.
type stretch struct {
	stretchID

	mine, any uint64 // days of the user who is counted, and of all so far
}

// block is 64 days.
type block struct {
	first           uint32 // the first of them, divided by 64
	seen, used, any uint64 // days on which the user who is counted was seen, and used something, and on which any so far did
}

// addPlaces returns how we number the places of an answer.
func (j *joiner) addPlaces(a *answer, modules []*module) []uint32 {
	ours := make([]uint32, 0, len(a.GetPlaces()))
	for _, p := range a.GetPlaces() {
		b, ok := j.block[p.GetBlock()]
		if !ok {
			b = uint32(len(j.blocks))
			j.block[p.GetBlock()] = b
			j.blocks = append(j.blocks, block{first: p.GetBlock()})
		}
		id := stretchID{modules[p.GetModule()], b, p.GetVisit()}
		at, ok := j.place[id]
		if !ok {
			at = uint32(len(j.places))
			j.place[id] = at
			j.places = append(j.places, stretch{stretchID: id})
		}
		ours = append(ours, at)
	}
	return ours
}

// addMarks takes in who was where.
func (j *joiner) addMarks(a *answer, ours []uint32) {
	places, set := a.GetMarkPlaces(), a.GetMarkDays()
	for i, id := range a.GetUserIds() {
		number, known := j.numbers[id]
		if !known {
			number = len(j.last)
			j.numbers[id] = number
			j.last = append(j.last, 0)
		}
		n := a.GetUserMarks()[i]
		j.marks = append(j.marks, marks{places[:n], set[:n], ours, j.last[number]})
		j.last[number] = int32(len(j.marks))
		places, set = places[n:], set[n:]
	}
}

// count counts what the marks of a number say of a user, or of nobody.
func (j *joiner) count(number, user int) {
	for at := j.last[number]; at > 0; at = j.marks[at-1].before {
		m := &j.marks[at-1]
		for i, theirs := range m.places {
			ours := m.ours[theirs]
			if j.places[ours].mine == 0 {
				j.inPlaces = append(j.inPlaces, ours)
			}
			j.places[ours].mine |= m.days[i]
		}
	}
	for _, at := range j.inPlaces {
		j.countPlace(&j.places[at], user)
	}
	j.inPlaces = j.inPlaces[:0]
	for _, at := range j.inBlocks {
		b := &j.blocks[at]
		j.seen = append(j.seen, presence{user, b.first, b.seen})
		j.used[number] = j.used[number] || b.used != 0
		b.any |= b.used
		if user != nobody {
			j.total.userDays += int64(bits.OnesCount64(b.used))
		}
		b.seen, b.used = 0, 0
	}
	j.inBlocks = j.inBlocks[:0]
	if user != nobody && j.used[number] {
		j.total.users++
	}
}

// countPlace counts that a user has days in a place.
func (j *joiner) countPlace(p *stretch, user int) {
	b := &j.blocks[p.block]
	if b.seen == 0 {
		j.inBlocks = append(j.inBlocks, p.block)
	}
	b.seen |= p.mine
	if !p.visit {
		b.used |= p.mine
		p.any |= p.mine
		if user != nobody {
			p.module.userDays += int64(bits.OnesCount64(p.mine))
			if p.module.lastUser != user {
				p.module.lastUser = user
				p.module.users++
			}
		}
	}
	p.mine = 0
}

// tellDays tells on which days each module was used, and anything.
func (j *joiner) tellDays() {
	for i := range j.places {
		if p := &j.places[i]; p.any != 0 {
			p.module.days[j.blocks[p.block].first] |= p.any
		}
	}
	for _, b := range j.blocks {
		if b.any != 0 {
			j.total.days[b.first] |= b.any
		}
	}
}
