package segment

import (
	"time"

	"github.com/sojournhq/sojourn/internal/domain/workspace"

	"github.com/sojournhq/sojourn/gateway/internal/mapping"
)

// RulesOf returns the rules of a configured source, with the defaults of the contract where it says nothing.
func RulesOf(s *workspace.Source, maxBytes int) Rules {
	rules := Rules{
		Source:             s.ID,
		RequireAnonymousID: s.RequireAnonymousID,
		RequireUserID:      s.RequireUserID,
		MaxClockSkew:       workspace.DefaultMaxClockSkew,
		AbsentIDs:          s.AbsentIDs,
		MaxBytes:           maxBytes,
		Mapping:            mapping.New(s.Mapping),
		Ignore:             mapping.Conditions(s.Ignore),
		Deletes:            deletesOf(s),
	}
	if s.MaxClockSkew != nil {
		rules.MaxClockSkew = time.Duration(*s.MaxClockSkew)
	}
	if rules.AbsentIDs == nil {
		rules.AbsentIDs = workspace.DefaultAbsentIDs()
	}
	return rules
}
