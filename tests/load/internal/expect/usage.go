package expect

// Usage is what an account usage report over all days must say of an account.
type Usage struct {
	Uses       int64
	DurationMS int64
	ActiveMS   int64
	// Features has uses, users, and days used, by module and feature.
	Features map[[2]string]FeatureUsage
}

// FeatureUsage is what the report must say of one feature.
type FeatureUsage struct {
	Uses, Users, Days, UserDays int64
}

// Usage returns what the report of an account, by its number, must say.
func (s *State) Usage(account int) Usage {
	report := Usage{Features: map[[2]string]FeatureUsage{}}
	seen := map[any]bool{}
	first := func(key ...string) int64 {
		var fixed [5]string
		copy(fixed[:], key)
		if seen[fixed] {
			return 0
		}
		seen[fixed] = true
		return 1
	}
	for number, u := range s.users {
		if u.account != account || !u.named {
			continue
		}
		id := s.stream.UserID(number)
		for _, c := range u.uses {
			name := [2]string{c.Feature.Module, c.Feature.Name}
			f := report.Features[name]
			f.Uses++
			f.Users += first("user", name[0], name[1], id)
			f.Days += first("day", name[0], name[1], day(c.TimeMS))
			f.UserDays += first("user and day", name[0], name[1], id, day(c.TimeMS))
			report.Features[name] = f
			report.Uses++
		}
		for _, points := range u.devices {
			for _, one := range sessionsOf(points) {
				report.DurationMS += one.duration()
				report.ActiveMS += one.active
			}
		}
	}
	return report
}
