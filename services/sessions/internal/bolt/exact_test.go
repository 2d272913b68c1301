package bolt_test

import (
	"flag"
	"testing"

	"github.com/sojournhq/sojourn/services/sessions/internal/storetest"
)

// The defaults are for every run of the tests; `make exact` takes far more.
var (
	seed         = flag.Uint64("seed", 1, "where random histories come from")
	histories    = flag.Int("histories", 60, "how many histories")
	permutations = flag.Int("permutations", 6, "in how many orders each is recorded")
	crowded      = flag.Int("crowded", 1500, "how many sessions on few anonymousIds")
)

var driver = storetest.Driver{Open: open, Verify: verify}

func TestRandomHistoriesInManyOrdersAreExact(t *testing.T) {
	t.Logf("seed %d: %d histories in %d orders", *seed, *histories, *permutations)
	storetest.Histories(t, driver, *seed, *histories, *permutations)
}

func TestScatteredPointsInManyOrdersAreExact(t *testing.T) {
	t.Logf("seed %d: %d histories in %d orders", *seed, *histories, *permutations)
	storetest.Scattered(t, driver, *seed, *histories, *permutations)
}

func TestManySessionsOnFewAnonymousIDsAreExact(t *testing.T) {
	t.Logf("seed %d: %d sessions of 15 points", *seed, *crowded)
	storetest.Crowded(t, driver, *seed, *crowded, 15)
}
