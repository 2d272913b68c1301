package report

import (
	"time"

	"github.com/sojournhq/sojourn/internal/domain/day"
)

// deeds is what an account did, as the services tell of it together.
type deeds struct {
	total    tally
	modules  map[string]*module
	features map[inModule]*tally
	days     map[day.Day]*amount
	seen     presences

	numbers map[string]int // of users, by id
	used    []bool         // by number
}

// module is what was done in one module. Where it was only visited there are no days.
type module struct {
	tally

	lastUser int // number of the last user who was counted
}

// members counts users by id, and those who used anything and are not among them.
func (d *deeds) members(ids []string) int64 {
	n := d.total.users
	for _, id := range ids {
		if number, known := d.numbers[id]; !known || !d.used[number] {
			n++
		}
	}
	return n
}

// addDays adds the amounts by day.
func (d *deeds) addDays(a *answer) {
	for _, of := range a.GetDays() {
		at := day.Day(of.GetDay())
		if d.days[at] == nil {
			d.days[at] = &amount{}
		}
		d.days[at].add(amount{of.GetUses(), milliseconds(of.GetDurationMs()), milliseconds(of.GetActiveMs())})
	}
}

// addModules adds the time by module, and returns the modules as the answer numbers them.
func (d *deeds) addModules(a *answer) []*module {
	modules := make([]*module, 0, len(a.GetModules()))
	for _, of := range a.GetModules() {
		m := d.modules[of.GetModule()]
		if m == nil {
			m = &module{tally: tally{days: days{}}, lastUser: nobody}
			d.modules[of.GetModule()] = m
		}
		modules = append(modules, m)
		all := amount{duration: milliseconds(of.GetDurationMs()), active: milliseconds(of.GetActiveMs())}
		byUsers := amount{duration: milliseconds(of.GetUserDurationMs()), active: milliseconds(of.GetUserActiveMs())}
		for _, t := range []*tally{&m.tally, &d.total} {
			t.all.add(all)
			t.byUsers.add(byUsers)
		}
	}
	return modules
}

// addFeatures adds the uses by feature, and from them those by module.
func (d *deeds) addFeatures(a *answer, modules []*module) {
	for _, of := range a.GetFeatures() {
		key := inModule{a.GetModules()[of.GetModule()].GetModule(), of.GetFeature()}
		f := d.features[key]
		if f == nil {
			f = &tally{days: days{}}
			d.features[key] = f
		}
		f.users += of.GetUsers()
		f.userDays += of.GetUserDays()
		for _, set := range of.GetDays() {
			f.days[set.GetBlock()] |= set.GetDays()
		}
		for _, t := range []*tally{f, &modules[of.GetModule()].tally, &d.total} {
			t.all.uses += of.GetUses()
			t.byUsers.uses += of.GetUserUses()
			t.usedAt(time.UnixMilli(of.GetLastUseMs()))
		}
	}
}

func milliseconds(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }
