package expect_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/tests/load/internal/expect"
	"github.com/sojournhq/sojourn/tests/load/internal/traffic"
)

func state() *expect.State {
	c := traffic.Default(1, time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC))
	c.Users, c.Accounts = 50, 10
	return expect.After(traffic.New(c), 2000, c.Accounts, c.Accounts)
}

// TestEveryDifferenceIsFound takes each line out of a right dump once, and changes one, and adds one.
func TestEveryDifferenceIsFound(t *testing.T) {
	s := state()
	want, err := s.Lines("w", "s")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	kinds := map[string]bool{}
	for line := range want {
		lines = append(lines, line)
		kinds[line[:15]] = true
	}
	if len(kinds) != 5 {
		t.Fatalf("lines of %v", kinds)
	}
	compare := func(dump ...string) error {
		_, err := s.Compare(strings.NewReader(strings.Join(dump, "\n")), "w", "s")
		return err
	}
	if err := compare(lines...); err != nil {
		t.Fatalf("the right dump: %v", err)
	}
	for i, line := range lines[:100] {
		if err := compare(append(append([]string{}, lines[:i]...), lines[i+1:]...)...); !errors.Is(err, expect.ErrDiffers) {
			t.Errorf("without %s: %v", line, err)
		}
		if err := compare(append([]string{line}, lines...)...); !errors.Is(err, expect.ErrDiffers) {
			t.Errorf("twice %s: %v", line, err)
		}
		changed := append([]string{}, lines...)
		changed[i] = strings.Replace(line, `"workspace":"w"`, `"workspace":"v"`, 1)
		if err := compare(changed...); !errors.Is(err, expect.ErrDiffers) {
			t.Errorf("changed %s: %v", line, err)
		}
	}
}

func TestTheReportOfAnAccountAddsUpToItsLines(t *testing.T) {
	s := state()
	lines, err := s.Lines("w", "s")
	if err != nil {
		t.Fatal(err)
	}
	uses, reported := int64(0), int64(0)
	for line := range lines {
		if strings.Contains(line, `"kind":"event"`) && !strings.Contains(line, `"accountId":""`) {
			uses++
		}
	}
	for _, account := range s.Accounts() {
		report := s.Usage(account)
		reported += report.Uses
		sum := int64(0)
		for _, f := range report.Features {
			sum += f.Uses
			if f.Users > f.UserDays || f.UserDays > f.Uses || f.Days > f.UserDays || f.Users < 1 {
				t.Errorf("account %d: %+v", account, f)
			}
		}
		if sum != report.Uses || report.ActiveMS > report.DurationMS || report.DurationMS == 0 {
			t.Errorf("account %d: %d uses by feature, %+v", account, sum, report)
		}
	}
	if uses != reported || uses < 1000 {
		t.Errorf("%d uses in lines, %d in reports", uses, reported)
	}
}
