package report

// seen is when somebody of an account was there, whether anything was used or not.
type seen struct {
	firstDay, lastDay string // empty: never
}

func (s *seen) add(p *part) {
	if s.firstDay == "" || p.day < s.firstDay {
		s.firstDay = p.day
	}
	s.lastDay = max(s.lastDay, p.day)
}

// whenSeen returns the first and last day of parts that tell days apart.
func whenSeen(parts []part) (s seen) {
	for i := range parts {
		s.add(&parts[i])
	}
	return s
}

// activeUsers counts the users that parts since a day tell of.
func activeUsers(parts []part, since string) int64 {
	users := set{}
	for i := range parts {
		if p := &parts[i]; p.user != "" && p.day >= since {
			users.add(p.user)
		}
	}
	return int64(len(users))
}

// since returns the parts from a day on.
func since(parts []part, day string) []part {
	var later []part
	for i := range parts {
		if parts[i].day >= day {
			later = append(later, parts[i])
		}
	}
	return later
}
