package report

import (
	"cmp"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/sojournhq/sojourn/internal/domain/day"
	reportv1 "github.com/sojournhq/sojourn/proto/sojourn/report/v1"
)

// row is an account in the list.
type row = reportv1.AccountActivity

// figure is what an account is sorted by: a whole number or a ratio.
type figure struct {
	known bool
	whole int64
	ratio float64
}

func (f figure) compare(other figure) int {
	return cmp.Or(cmp.Compare(f.whole, other.whole), cmp.Compare(f.ratio, other.ratio))
}

var figures = map[reportv1.AccountFigure]func(*row) figure{
	reportv1.AccountFigure_ACCOUNT_FIGURE_LAST_SEEN:        func(a *row) figure { return dayFigure(a.GetLastSeenDay()) },
	reportv1.AccountFigure_ACCOUNT_FIGURE_ACTIVE_USERS_1D:  func(a *row) figure { return whole(a.GetActiveUsers_1D()) },
	reportv1.AccountFigure_ACCOUNT_FIGURE_ACTIVE_USERS_7D:  func(a *row) figure { return whole(a.GetActiveUsers_7D()) },
	reportv1.AccountFigure_ACCOUNT_FIGURE_ACTIVE_USERS_30D: func(a *row) figure { return whole(a.GetActiveUsers_30D()) },
	reportv1.AccountFigure_ACCOUNT_FIGURE_DURATION:         func(a *row) figure { return timeFigure(a.GetDuration()) },
	reportv1.AccountFigure_ACCOUNT_FIGURE_ACTIVE:           func(a *row) figure { return timeFigure(a.GetActive()) },
	reportv1.AccountFigure_ACCOUNT_FIGURE_USES:             func(a *row) figure { return whole(a.GetUses()) },
	reportv1.AccountFigure_ACCOUNT_FIGURE_DURATION_BEFORE:  func(a *row) figure { return timeFigure(a.GetDurationBefore()) },
	reportv1.AccountFigure_ACCOUNT_FIGURE_ACTIVE_BEFORE:    func(a *row) figure { return timeFigure(a.GetActiveBefore()) },
	reportv1.AccountFigure_ACCOUNT_FIGURE_USES_BEFORE:      func(a *row) figure { return whole(a.GetUsesBefore()) },
	reportv1.AccountFigure_ACCOUNT_FIGURE_TIME_CHANGE:      func(a *row) figure { return ratioFigure(a.TimeChange) },
	reportv1.AccountFigure_ACCOUNT_FIGURE_USES_CHANGE:      func(a *row) figure { return ratioFigure(a.UsesChange) },
}

func whole(n int64) figure { return figure{known: true, whole: n} }

func timeFigure(d *durationpb.Duration) figure { return whole(int64(d.AsDuration())) }

func dayFigure(text string) figure {
	d, err := day.Parse(text)
	return figure{known: err == nil, whole: int64(d)}
}

func ratioFigure(r *float64) figure {
	if r == nil {
		return figure{}
	}
	return figure{known: true, ratio: *r}
}
