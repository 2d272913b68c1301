// Package oracle computes the dump that Sojourn must print, from the set of calls that it was sent. It is slow and plain, sorts everything, keeps
// nothing between two questions, and shares no code with Sojourn: it is written from docs/semantics.md alone.
//
// It knows as much of the contract as the traffic of this module uses: no deletions, no corrected times, no mappings or dimensions, the default
// settings, and of traits those in Traits below.
package oracle

// Call is a call as a client means it. Two calls are the same one if Workspace, MessageID and TimeMS are.
type Call struct {
	Workspace, Source string
	// Type is track, identify, group, page or alias.
	Type        string
	MessageID   string
	TimeMS      int64
	AnonymousID string
	UserID      string
	// PreviousID is the other id of the same person, of an alias.
	PreviousID string
	// AccountID is the groupId, or "".
	AccountID string
	Feature   string
	Module    string
	Traits    Traits
	// Bad says that the call lacks what it needs, and is counted as rejected and nothing else.
	Bad bool
}

// Traits are traits of an identify or a group call: text, a number, or nil where the call clears one.
type Traits map[string]any

// Tiers are the tiers that the settings of every workspace must name.
var Tiers = []string{"gold", "silver"}
