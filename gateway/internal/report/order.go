package report

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strconv"

	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/kit/page"
	reportv1 "github.com/sojournhq/sojourn/proto/sojourn/report/v1"
)

// order is how a list is sorted.
type order struct {
	of         func(*row) figure // nil: by account_id alone
	descending bool
}

func parseOrder(r *reportv1.ListAccountActivityRequest) (order, error) {
	o := order{of: figures[r.GetSortBy()], descending: r.GetDescending()}
	if o.of == nil && r.GetSortBy() != reportv1.AccountFigure_ACCOUNT_FIGURE_UNSPECIFIED {
		return o, errors.New("sort_by is an unknown figure")
	}
	return o, nil
}

// place is where a row stands in the list.
type place struct {
	figure    figure
	accountID string
	row       *row
}

func (o order) compare(a, b place) int {
	figures, ids := a.figure.compare(b.figure), cmp.Compare(a.accountID, b.accountID)
	switch {
	case o.of == nil && o.descending:
		return -ids
	case a.figure.known != b.figure.known:
		if a.figure.known {
			return -1
		}
		return 1
	case o.descending:
		figures = -figures
	}
	return cmp.Or(figures, ids)
}

// sorted returns the rows in order, from the first behind a place; nil: from the first.
func (o order) sorted(rows []*row, after *place) []place {
	var listed []place
	for _, a := range rows {
		p := place{accountID: a.GetAccount().GetAccountId(), row: a}
		if o.of != nil {
			p.figure = o.of(a)
		}
		if after == nil || o.compare(p, *after) > 0 {
			listed = append(listed, p)
		}
	}
	slices.SortFunc(listed, o.compare)
	return listed
}

// token returns the page token that leads behind a place.
func (o order) token(r *reportv1.ListAccountActivityRequest, w window, last place) (string, error) {
	return page.Token(r, w.asOf.String(), strconv.FormatBool(last.figure.known), strconv.FormatInt(last.figure.whole, 10),
		strconv.FormatUint(math.Float64bits(last.figure.ratio), 16), last.accountID)
}

// parsePlace returns the place that the request's token leads behind, nil without one, and sets the window to that of the first page.
func (o order) parsePlace(r *reportv1.ListAccountActivityRequest, w *window) (*place, error) {
	parts, err := page.Position(r, r.GetPageToken(), 5)
	if err != nil || parts == nil {
		return nil, err
	}
	asOf, errDay := day.Parse(parts[0])
	known, errKnown := strconv.ParseBool(parts[1])
	whole, errWhole := strconv.ParseInt(parts[2], 10, 64)
	ratio, errRatio := strconv.ParseUint(parts[3], 16, 64)
	if errors.Join(errDay, errKnown, errWhole, errRatio) != nil {
		return nil, page.ErrToken
	}
	w.asOf = asOf
	return &place{figure: figure{known, whole, math.Float64frombits(ratio)}, accountID: parts[4]}, nil
}
