package traffic

import "time"

// Default is a product with 200,000 users in 2,000 accounts, seen over the six hours before now.
func Default(seed uint64, now time.Time) Config {
	const span = 6 * time.Hour
	return Config{
		Seed: seed, Users: 200_000, Accounts: 2_000, UserSkew: 0.8, AccountSkew: 1,
		Start: now.Add(-span).Truncate(time.Second), Step: 10 * time.Millisecond, Span: span,
	}
}
