package workspace

import "time"

// SessionSettings decide where a workspace's sessions end and how pauses count.
type SessionSettings struct {
	// Timeout is the longest pause within a session, IdleCap the most that a pause counts as active time, and Max the longest a session
	// may last.
	Timeout, IdleCap, Max time.Duration
}

// Sessions returns the session settings, with the default where the workspace sets none.
func (w *Workspace) Sessions() SessionSettings {
	s := SessionSettings{Timeout: 30 * time.Minute, IdleCap: 5 * time.Minute, Max: 24 * time.Hour}
	for _, setting := range []struct {
		set  *Duration
		take *time.Duration
	}{{w.SessionTimeout, &s.Timeout}, {w.IdleCap, &s.IdleCap}, {w.MaxSession, &s.Max}} {
		if setting.set != nil {
			*setting.take = time.Duration(*setting.set)
		}
	}
	return s
}
