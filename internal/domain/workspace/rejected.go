package workspace

import "time"

// Rejected calls are kept for DefaultKeepRejected unless a workspace says otherwise, and for MaxKeepRejected at most.
const (
	DefaultKeepRejected = 7 * 24 * time.Hour
	MaxKeepRejected     = 90 * 24 * time.Hour
)

// KeepRejectedFor returns for how long rejected calls are kept to be looked at; 0: not at all.
func (w *Workspace) KeepRejectedFor() time.Duration {
	if w.KeepRejected == nil {
		return DefaultKeepRejected
	}
	return time.Duration(*w.KeepRejected)
}

func (p *problems) keepRejected(where string, d *Duration) {
	if d != nil && !p.duration(where, d) && time.Duration(*d) > MaxKeepRejected {
		p.add("%s: longer than %v", where, MaxKeepRejected)
	}
}
