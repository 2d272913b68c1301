package call_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/internal/domain/call"
)

func TestAPathIsReadAsItsKeys(t *testing.T) {
	for text, want := range map[string][]string{
		"userId":                   {"userId"},
		"context.groupId":          {"context", "groupId"},
		"properties.total billed":  {"properties", "total billed"},
		`a\.b.c\\d.\.`:             {"a.b", `c\d`, "."},
		`\\.\\`:                    {`\`, `\`},
		"properties.list.0":        {"properties", "list", "0"},
		long(call.MaxPath):         {long(call.MaxPath)},
		"":                         nil,
		".":                        nil,
		"a.":                       nil,
		"a..b":                     nil,
		`a\`:                       nil,
		`a\b`:                      nil,
		call.DimensionPath("Plan"): nil,
	} {
		got, err := call.ParsePath(text)
		if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (want != nil) {
			t.Errorf("%.40q: %v %s", text, err, diff)
		}
	}
	if _, err := call.ParsePath(long(call.MaxPath + 1)); !errors.Is(err, call.ErrPlaceLarge) {
		t.Errorf("too long a path: %v", err)
	}
}

func TestThePathOfADimensionIsNoPathOfKeys(t *testing.T) {
	for _, name := range []string{"Plan", "a.b", `\`, `.`, ""} {
		path := call.DimensionPath(name)
		if got, ok := call.Dimension(path); !ok || got != name || !call.IsDimension(path) {
			t.Errorf("%q: read back as %q, %v", name, got, ok)
		}
		if objects := call.Objects(path); objects != nil {
			t.Errorf("%q: it leads through %q", name, objects)
		}
	}
	for _, path := range []string{`\\:Plan`, `\.:Plan`, ":Plan", "Plan", ""} {
		if _, ok := call.Dimension(path); ok || call.IsDimension(path) {
			t.Errorf("%q is taken for a dimension's", path)
		}
	}
}

func TestAllWaysToWriteAPathAreOne(t *testing.T) {
	for path, want := range map[string]string{
		"First Name": "firstname", "first_name": "firstname", "FIRST-NAME": "firstname", "Address.postal_Code": "address.postalcode",
		`a\.B.c\\d`: `a\.b.c\\d`, "ÄÖ": "ÄÖ", "": "", call.DimensionPath("My Plan"): call.DimensionPath("My Plan"),
	} {
		if got := call.Canonical(path); got != want {
			t.Errorf("%q is %q, want %q", path, got, want)
		}
	}
}

func TestTheFingerprintIsOfWhatACallDoesUnlessItIsMapped(t *testing.T) {
	base := call.Call{Type: call.Track, UserID: "u", AccountID: "ab", Module: "c"}
	for name, change := range map[string]func(*call.Call){
		"type": func(c *call.Call) { c.Type = call.Page }, "session": func(c *call.Call) { c.AnonymousID = "s" },
		"user": func(c *call.Call) { c.UserID = "v" }, "feature": func(c *call.Call) { c.Feature = "f" },
		"another division": func(c *call.Call) { c.AccountID, c.Module = "a", "bc" }, "previous": func(c *call.Call) { c.PreviousID = "p" },
		"mapped": func(c *call.Call) { c.Sent = 7 },
	} {
		other := base
		change(&other)
		if other.Fingerprint() == base.Fingerprint() {
			t.Errorf("%s: the same", name)
		}
	}
	for name, change := range map[string]func(*call.Call){
		"time": func(c *call.Call) { c.TimeMS = 1 }, "source": func(c *call.Call) { c.Source = "x" }, "traits": func(c *call.Call) { c.Traits = []call.Trait{{}} },
	} {
		other := base
		change(&other)
		if other.Fingerprint() != base.Fingerprint() {
			t.Errorf("%s: another", name)
		}
	}
	mapped, otherwise := base, base
	mapped.Sent, otherwise.Sent, otherwise.Feature = 7, 7, "f"
	if mapped.Fingerprint() != otherwise.Fingerprint() {
		t.Error("two that were the same as sent are not")
	}
}

func TestTheFingerprintIsWhatStandsInLedgers(t *testing.T) {
	c := call.Call{Type: call.Track, AnonymousID: "s", UserID: "ada", AccountID: "acme", Module: "Billing", Feature: "Invoice Created"}
	if got := c.Fingerprint(); got != 0xf9883bb6 {
		t.Errorf("%#x", got)
	}
}
