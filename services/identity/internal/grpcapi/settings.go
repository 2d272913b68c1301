package grpcapi

import (
	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

// Settings are what one workspace is set to.
type Settings struct {
	profile.Settings

	// Sessions are no concern of this service; it only tells them to those who ask.
	Sessions workspace.SessionSettings
}
