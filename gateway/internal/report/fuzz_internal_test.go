package report

import (
	"errors"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/page"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	reportv1 "github.com/sojournhq/sojourn/proto/sojourn/report/v1"
)

// FuzzPlace reads page tokens that hold anything: what they name is a place, of which each account is before or behind, or they are refused.
func FuzzPlace(f *testing.F) {
	f.Add("2026-11-01", "true", "7", "0", "acme")
	f.Add("2026-11-01", "true", "0", "7ff8000000000001", "")
	f.Add("1969-12-31", "yes", "x", "-", "")
	f.Fuzz(func(t *testing.T, asOf, known, whole, ratio, accountID string) {
		r := &reportv1.ListAccountActivityRequest{Workspace: "w"}
		var err error
		if r.PageToken, err = page.Token(r, asOf, known, whole, ratio, accountID); err != nil {
			t.Fatal(err)
		}
		var w window
		p, err := order{}.parsePlace(r, &w)
		if err != nil {
			if !errors.Is(err, page.ErrToken) || p != nil {
				t.Errorf("got %+v, %v", p, err)
			}
			return
		}
		if p.accountID != accountID || w.asOf.String() != asOf {
			t.Errorf("%q on %q became %+v on %v", accountID, asOf, p, w.asOf)
		}
		if r.PageToken, err = (order{}).token(r, w, *p); err != nil {
			t.Fatal(err)
		}
		for _, o := range []order{{}, {descending: true}, {of: figures[reportv1.AccountFigure_ACCOUNT_FIGURE_TIME_CHANGE]}} {
			again, err := o.parsePlace(r, &w)
			if err != nil || o.compare(*again, *p) != 0 {
				t.Errorf("%+v became %+v, %v", p, again, err)
			}
			some := 0.5
			for _, other := range []*row{{}, {TimeChange: &some, Account: &identityv1.Account{AccountId: "b"}}} {
				here := o.sorted([]*row{other}, nil)[0]
				if before, behind := o.compare(here, *p), o.compare(*p, here); before != -behind {
					t.Errorf("%+v is both before and behind %+v", here, p)
				}
			}
		}
	})
}
