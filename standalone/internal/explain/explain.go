// Package explain prints what calls would become, for people to read.
package explain

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/sojournhq/sojourn/gateway"
)

// Write prints what a body would become: a block of lines for each call.
func Write(to io.Writer, e *gateway.Explained) error {
	p := printer{to: to}
	if e.Rejected != nil {
		p.line("refused as a whole", problem(e.Rejected))
	}
	for i := range e.Warnings {
		p.line("the batch", problem(&e.Warnings[i]))
	}
	for i := range e.Calls {
		if len(e.Calls) > 1 {
			p.print("call %d of %d\n", i+1, len(e.Calls))
		}
		p.call(&e.Calls[i])
	}
	return p.err
}

type printer struct {
	to  io.Writer
	err error
}

func (p *printer) print(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.to, format, args...)
	}
}

func (p *printer) line(name, text string) { p.print("  %-10s  %s\n", name, text) }

func (p *printer) call(c *gateway.ExplainedCall) {
	verdict := "would be taken"
	switch {
	case c.Rejected != nil:
		verdict = "would be rejected: " + problem(c.Rejected)
	case c.FilteredBy == "integrations":
		verdict = "would be left out by its integrations, unless Segment delivers it"
	case c.FilteredBy != "":
		verdict = "would be left out by " + text(c.FilteredBy)
	}
	p.line(text(c.Type), verdict)
	p.line("messageId", text(c.MessageID))
	p.targets(c)
	for _, d := range c.Dimensions {
		p.line("dimension", text(d.Name)+" = "+text(string(d.Value))+" ("+from(d.Path, d.Rule)+")")
	}
	if c.Inactive {
		p.line("activity", "none: context.active is false, so it moves nobody's last seen")
	}
	if c.Traits > 0 {
		p.line("traits", strconv.Itoa(c.Traits))
	}
	if c.FilteredBy == "" { // else the one warning says what the first line does
		for i := range c.Warnings {
			p.line("warning", problem(&c.Warnings[i]))
		}
	}
	p.print("\n")
}

// targets prints what was found, and of a call that would be taken, what it means that something was not.
func (p *printer) targets(c *gateway.ExplainedCall) {
	for _, t := range []struct {
		name  string
		found gateway.Found
		none  string
	}{
		{"feature", c.Feature, "none: no use of a feature"},
		{"module", c.Module, "none: in a session, the one before goes on"},
		{"account", c.Account, "not named: that of the user, as resolved when it is asked for"},
		{"user", c.User, "none: that of the session"},
		{"session", c.Session, "none: part of no session"},
	} {
		switch {
		case t.found.Value != "":
			p.line(t.name, text(t.found.Value)+" ("+from(t.found.Path, t.found.Rule)+")")
		case c.Rejected == nil && c.FilteredBy == "":
			p.line(t.name, t.none)
		}
	}
	if c.Rejected == nil && c.Time.Value != "" {
		p.line("time", c.Time.Value+" ("+from(c.Time.Path, c.Time.Rule)+"; "+reason(c.Why)+")")
	}
}

// reason says why a time is what it is.
func reason(why gateway.TimeReason) string {
	return map[gateway.TimeReason]string{
		"own":                  "the call's own timestamp",
		"mapped":               "mapped, and so not corrected",
		"corrected_by_segment": "Segment's timestamp, because the two differ by more than max_clock_skew",
		"corrected_by_sent_at": "moved by as much as sentAt is off the receipt, which is more than max_clock_skew",
		"clamped_to_receipt":   "set to the time of receipt, because it lies too far ahead of it",
	}[why]
}

// from says where a value was found.
func from(path, rule string) string {
	where := "a literal"
	if path != "" {
		where = text(path)
	}
	if rule != "" {
		where += ", by mapping." + text(rule)
	}
	return where
}

func problem(p *gateway.ExplainedProblem) string { return p.Message + " (" + p.Code + ")" }

// text returns s as it is where that can be shown, and quoted otherwise: what a stranger sent must not drive a terminal.
func text(s string) string {
	switch {
	case s == "":
		return "–"
	case strings.TrimSpace(s) != s || strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }):
		return strconv.Quote(s)
	}
	return s
}
