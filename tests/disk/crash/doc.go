// Package crash looks at every state that a crash could leave of a store: it records what a store does to its files while it takes calls in,
// makes of the record what could be on the disk at any moment, with any part of what was not synced lost, opens the store there, and
// compares it with what had been answered.
//
// Each sender writes to a workspace of its own, one step after the other. So what a workspace may hold is plain: what its first n steps
// make of an empty one, where n is at least how many were answered and at most how many were sent. Which state that is was found out
// before, on a store that nothing befell.
package crash
