// Package explain prints what calls would become, for people to read.
package explain

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/sojournhq/sojourn/gateway"
)

// Write prints what a body would become: a block of lines for each call.
func Write(to io.Writer, e *gateway.Explained) error {
	p := printer{tabs: tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)}
	if e.Rejected != nil {
		p.line("%s", "refused as a whole, and nothing of it would be taken: "+problem(e.Rejected))
	}
	for i := range e.Calls {
		if len(e.Calls) > 1 {
			p.line("call %d of %d", i+1, len(e.Calls))
		}
		p.call(&e.Calls[i])
	}
	return p.end()
}

type printer struct {
	tabs *tabwriter.Writer
	err  error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.tabs, format+"\n", args...)
	}
}

func (p *printer) end() error {
	if err := p.tabs.Flush(); p.err == nil {
		p.err = err
	}
	return p.err
}

func (p *printer) call(c *gateway.ExplainedCall) {
	verdict := "would be taken"
	if c.Rejected != nil {
		verdict = "would be rejected: " + problem(c.Rejected)
	}
	p.line("  %s\t%s", orNone(c.Type), verdict)
	p.line("  messageId\t%s", orNone(c.MessageID))
	p.targets(c)
	for _, d := range c.Dimensions {
		p.line("  dimension %s\t%s\t%s", text(d.Name), text(string(d.Value)), from(d.Path, d.Rule))
	}
	if c.Traits > 0 {
		p.line("  traits\t%d", c.Traits)
	}
	for i := range c.Warnings {
		p.line("  warning\t%s", problem(&c.Warnings[i]))
	}
	p.line("")
}

// targets prints what was found, and of a call that would be taken, what what was not found means.
func (p *printer) targets(c *gateway.ExplainedCall) {
	for _, t := range []struct {
		name  string
		found gateway.Found
		none  string
	}{
		{"feature", c.Feature, "none: no use of a feature"},
		{"module", c.Module, "none: the one before goes on"},
		{"account", c.Account, "not named: the account of the user, once that is known"},
		{"user", c.User, "none: that of the session"},
		{"session", c.Session, "none: no session"},
		{"time", c.Time, ""},
	} {
		switch {
		case t.found.Value != "":
			p.line("  %s\t%s\t%s", t.name, text(t.found.Value), from(t.found.Path, t.found.Rule))
		case c.Rejected == nil:
			p.line("  %s\t%s", t.name, t.none)
		}
	}
	if c.Rejected == nil {
		p.line("  \t%s", reason(c.Why))
	}
}

// reason is why a time is what it is, in words.
func reason(why gateway.TimeReason) string {
	return map[gateway.TimeReason]string{
		"own":                  "the call's own timestamp",
		"mapped":               "as the mapping says, not corrected",
		"corrected_by_segment": "timestamp, because it differs from originalTimestamp by more than max_clock_skew",
		"corrected_by_sent_at": "moved by what the clock was off at sending: sentAt differs from the receipt by more than max_clock_skew",
		"clamped_to_receipt":   "the time of receipt, because it would lie too far ahead of it",
	}[why]
}

// from says where a value was found.
func from(path, rule string) string {
	if path == "" {
		path = "a literal"
	}
	if rule == "" {
		return "from " + text(path)
	}
	return "from " + text(path) + ", as mapping." + text(rule) + " says"
}

func problem(p *gateway.ExplainedProblem) string { return p.Message + " (" + p.Code + ")" }

func orNone(s string) string {
	if s == "" {
		return "–"
	}
	return text(s)
}

// text returns s as it is if it can be shown in a line as it is, and quoted otherwise: what a stranger sent must not drive a terminal.
func text(s string) string {
	if strings.TrimSpace(s) != s || strings.ContainsFunc(s, unprintable) {
		return strconv.Quote(s)
	}
	return s
}

func unprintable(r rune) bool { return !strconv.IsPrint(r) }
