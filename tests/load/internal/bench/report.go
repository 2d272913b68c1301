package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sojournhq/sojourn/tests/load/internal/deploy"
	"github.com/sojournhq/sojourn/tests/load/internal/expect"
)

// usageReport is what is read of an account usage report, in the JSON form of protobuf: numbers of 64 bits are text.
type usageReport struct {
	Total struct {
		Duration, Active string
		Uses             string
	}
	Features []struct{ Module, Feature, Uses, Users, DaysUsed, UserDays string }
}

// askUsage asks for the usage report of an account over 90 days that end today, as a customer's program would.
func askUsage(ctx context.Context, address, account string, now time.Time) (report usageReport, took time.Duration, err error) {
	return ask(ctx, address, map[string]string{
		"accountId": account, "fromDay": now.UTC().AddDate(0, 0, -89).Format(time.DateOnly), "toDay": now.UTC().Format(time.DateOnly),
	})
}

// askAllUsage asks for the usage report of an account over all days.
func askAllUsage(ctx context.Context, address, account string) (usageReport, error) {
	report, _, err := ask(ctx, address, map[string]string{"accountId": account})
	return report, err
}

func ask(ctx context.Context, address string, question map[string]string) (report usageReport, took time.Duration, err error) {
	body, err := json.Marshal(question)
	if err != nil {
		return report, 0, err
	}
	err = post(ctx, "http://"+address+"/sojourn.report.v1.ReportService/GetAccountUsage", body, func(answer io.Reader) error {
		return json.NewDecoder(answer).Decode(&report)
	}, &took)
	return report, took, err
}

// post asks a question and notes how long the whole answer took.
func post(ctx context.Context, url string, body []byte, read func(io.Reader) error, took *time.Duration) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+deploy.QueryToken)
	request.Header.Set("Content-Type", "application/json")
	began := time.Now()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	*took = time.Since(began)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the usage report is answered %s: %s", response.Status, text[:min(len(text), 200)])
	}
	return read(bytes.NewReader(text))
}

// differs says where a report differs from what it must say; "" if it does not.
func (r *usageReport) differs(want expect.Usage) string {
	switch {
	case number(r.Total.Uses) != want.Uses:
		return fmt.Sprintf("%s uses, want %d", r.Total.Uses, want.Uses)
	case milliseconds(r.Total.Duration) != want.DurationMS || milliseconds(r.Total.Active) != want.ActiveMS:
		return fmt.Sprintf("%s of time, %s active, want %d and %d ms", r.Total.Duration, r.Total.Active, want.DurationMS, want.ActiveMS)
	case len(r.Features) != len(want.Features):
		return fmt.Sprintf("%d features, want %d", len(r.Features), len(want.Features))
	}
	for _, f := range r.Features {
		got := expect.FeatureUsage{Uses: number(f.Uses), Users: number(f.Users), Days: number(f.DaysUsed), UserDays: number(f.UserDays)}
		if wanted := want.Features[[2]string{f.Module, f.Feature}]; got != wanted {
			return fmt.Sprintf("%s of %s: %+v, want %+v", f.Feature, f.Module, got, wanted)
		}
	}
	return ""
}

func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil && text != "" {
		return -1
	}
	return n
}

// milliseconds reads a duration as protobuf's JSON writes it: seconds with a fraction, and "s".
func milliseconds(text string) int64 {
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(strings.TrimSpace(text))
	if err != nil {
		return -1
	}
	return d.Milliseconds()
}
