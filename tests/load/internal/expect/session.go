package expect

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// What a workspace's settings are by default.
const (
	timeout    = 30 * 60 * 1000
	idleCap    = 5 * 60 * 1000
	maxSession = 24 * 60 * 60 * 1000
)

// point is a call as the sessions see it.
type point struct {
	ms        int64
	messageID string
	module    string // "": it names none
}

// session is one session of a device.
type session struct {
	points  []point
	modules map[string]moduleTime
	active  int64
}

type moduleTime struct{ duration, active int64 }

func (s *session) start() int64    { return s.points[0].ms }
func (s *session) end() int64      { return s.points[len(s.points)-1].ms }
func (s *session) duration() int64 { return s.end() - s.start() }

// sessionsOf divides the points of a device, which all are of one user and one account, into sessions.
func sessionsOf(points []point) []session {
	slices.SortFunc(points, func(a, b point) int {
		return cmp.Or(cmp.Compare(a.ms, b.ms), strings.Compare(a.messageID, b.messageID))
	})
	var all []session
	for first := 0; first < len(points); {
		next := first + 1
		for next < len(points) && points[next].ms-points[next-1].ms <= timeout && points[next].ms-points[first].ms <= maxSession {
			next++
		}
		all = append(all, timed(points[first:next]))
		first = next
	}
	return all
}

// timed gives every stretch between two points to the module that was named last.
func timed(points []point) session {
	s := session{points: points, modules: map[string]moduleTime{}}
	module := ""
	for i, p := range points[:len(points)-1] {
		if p.module != "" {
			module = p.module
		}
		stretch := points[i+1].ms - p.ms
		m := s.modules[module]
		m.duration += stretch
		m.active += min(stretch, idleCap)
		s.active += min(stretch, idleCap)
		if m.duration > 0 {
			s.modules[module] = m
		}
	}
	return s
}

func clock(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }
func day(ms int64) string   { return time.UnixMilli(ms).UTC().Format(time.DateOnly) }
