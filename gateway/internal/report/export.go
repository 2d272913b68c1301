package report

import (
	"context"
	"errors"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/kit/page"
	reportv1 "github.com/sojournhq/sojourn/proto/sojourn/report/v1"

	"github.com/sojournhq/sojourn/gateway/internal/tabular"
)

// maxAccounts is how many accounts one page of an export has at most where what each did is asked of all three services.
const maxAccounts = 20

// Export implements reportv1connect.ReportServiceHandler.
func (s *Reports) Export(ctx context.Context, r *reportv1.ExportRequest) (*reportv1.ExportResponse, error) {
	table, known := s.tables()[r.GetTable()]
	var days day.Span
	size, err := page.Size(r.GetPageSize())
	switch {
	case err != nil:
	case !known:
		err = errors.New("table is not set or unknown")
	case r.GetFormat() != reportv1.ExportFormat_EXPORT_FORMAT_CSV && r.GetFormat() != reportv1.ExportFormat_EXPORT_FORMAT_NDJSON:
		err = errors.New("format is not set or unknown")
	default:
		days, err = day.ParseSpan(r.GetFromDay(), r.GetToDay())
	}
	if err != nil {
		return nil, invalid(err)
	}
	position, err := page.Position(r, r.GetPageToken(), 1)
	if err != nil {
		return nil, invalid(err)
	}
	e := export{request: r, days: days, size: int32(size)}
	if position != nil {
		e.token = position[0]
	}
	rows, next, err := table.read(ctx, e)
	if err != nil {
		return nil, err
	}
	response := &reportv1.ExportResponse{}
	if response.Text, err = write(r, table.empty, rows); err != nil {
		return nil, err
	}
	if next != "" {
		response.NextPageToken, err = page.Token(r, next)
	}
	return response, err
}

// export is one page to be read.
type export struct {
	request *reportv1.ExportRequest
	days    day.Span
	size    int32
	token   string // of the service's list; empty for the first page
}

// account returns the one account whose rows are wanted; nil: all rows are.
func (e export) account() *string {
	if e.request.GetAccountId() == "" {
		return nil
	}
	return &e.request.AccountId
}

// allDays says whether the days are without limit.
func (e export) allDays() bool { return e.request.GetFromDay() == "" && e.request.GetToDay() == "" }

// times returns the first moment of the days and the first behind them; nil: without limit.
func (e export) times() (from, to *timestamppb.Timestamp) {
	if e.request.GetFromDay() != "" {
		from = timestamppb.New(time.UnixMilli(e.days.From.StartMS()))
	}
	if e.request.GetToDay() != "" {
		to = timestamppb.New(time.UnixMilli((e.days.To + 1).StartMS()))
	}
	return from, to
}

// table is something to export: how to read a page of it, and a row in which nothing is set, for the names of its columns.
type table struct {
	read  func(ctx context.Context, e export) (rows []tabular.Object, next string, err error)
	empty tabular.Object
}

func (s *Reports) tables() map[reportv1.ExportTable]table {
	return map[reportv1.ExportTable]table{
		reportv1.ExportTable_EXPORT_TABLE_USERS:    {s.exportUsers, userRow("", nil)},
		reportv1.ExportTable_EXPORT_TABLE_ACCOUNTS: {s.exportAccounts, accountRow("", nil, exportedActivity{})},
		reportv1.ExportTable_EXPORT_TABLE_SESSIONS: {s.exportSessions, sessionRow("", nil)},
		reportv1.ExportTable_EXPORT_TABLE_EVENTS:   {s.exportEvents, eventRow("", nil)},
		reportv1.ExportTable_EXPORT_TABLE_USAGE:    {s.exportUsage, usageRow("", "", "", inModule{}, nil, nil)},
	}
}

// write returns the rows as text; the first page of CSV begins with the names of the columns.
func write(r *reportv1.ExportRequest, empty tabular.Object, rows []tabular.Object) (string, error) {
	if r.GetFormat() == reportv1.ExportFormat_EXPORT_FORMAT_NDJSON {
		var text []byte
		for _, row := range rows {
			var err error
			if text, err = tabular.AppendJSON(text, row); err != nil {
				return "", err
			}
		}
		return string(text), nil
	}
	sheet := tabular.Sheet{Exact: r.GetExact()}
	if r.GetPageToken() == "" {
		if err := sheet.Header(empty); err != nil {
			return "", err
		}
	}
	for _, row := range rows {
		if err := sheet.Row(row); err != nil {
			return "", err
		}
	}
	return sheet.String(), nil
}
