package traffic

import "time"

// Default is a product with 200,000 users in 2,000 accounts, seen over the 25 minutes before now: its sessions are running. 5,000 users are
// there at once, and each visit has ten calls. After 1.5 million calls event time begins again, and from then on nearly every call is late.
func Default(seed uint64, now time.Time) Config {
	const span = 25 * time.Minute // less than the timeout of a session
	return Config{
		Seed: seed, Users: 200_000, Accounts: 2_000, UserSkew: 0.8, AccountSkew: 1,
		Start: now.Add(-span).Truncate(time.Second), Step: time.Millisecond, Span: span,
		VisitCalls: 10, Pause: 5 * time.Second,
	}
}
