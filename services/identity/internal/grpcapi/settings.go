package grpcapi

import (
	"math"
	"time"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

// Settings are what one workspace is set to.
type Settings struct {
	profile.Settings

	// Sessions are no concern of this service; it only tells them to those who ask.
	Sessions workspace.SessionSettings
	// KeepRejected is for how long rejected calls are kept; 0: not at all.
	KeepRejected time.Duration
}

// KeepFromMS returns the time of receipt, in milliseconds, from which on rejected calls are kept.
func (s *Settings) KeepFromMS(now time.Time) int64 {
	if s.KeepRejected == 0 {
		return math.MaxInt64
	}
	return now.Add(-s.KeepRejected).UnixMilli()
}
