package callproto

import (
	"errors"

	"github.com/sojournhq/sojourn/internal/domain/call"
)

// CheckDeletion returns nil if a request to delete a user names a workspace, a user and a possible time, or what is wrong with it.
func CheckDeletion(r interface {
	GetWorkspace() string
	GetUserId() string
	GetUntilMs() int64
},
) error {
	switch {
	case r.GetWorkspace() == "":
		return ErrNoWorkspace
	case r.GetUserId() == "":
		return errors.New("user_id is required")
	case r.GetUntilMs() < 0 || r.GetUntilMs() > call.MaxTimeMS:
		return errors.New("until_ms is outside 1970 to 2261")
	}
	return nil
}
