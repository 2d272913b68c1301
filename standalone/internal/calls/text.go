package calls

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
)

// shownBody is how much of a body is printed on a line for people, in runes.
const shownBody = 200

// printCall prints a call on one line for people.
func printCall(out io.Writer, c *identityv1.ReceivedCall) error {
	if r := c.GetRejected(); r != nil {
		words := []string{"rejected"}
		if c.GetRepeatedRejection() {
			words = append(words, "again")
		}
		return printRejection(out, r, "15:04:05.000", words...)
	}
	l := lineOf(c)
	words := []string{c.GetReceived().AsTime().Local().Format("15:04:05.000"), plain(l.Source), l.Outcome, plain(l.Type)}
	if l.Module+l.Feature != "" {
		words = append(words, named("module", l.Module), named("feature", l.Feature))
	}
	words = append(words, named("account", l.AccountID), named("user", l.UserID), named("previous", l.PreviousID),
		named("session", l.AnonymousID), named("time", l.Time), named("message", l.MessageID))
	if l.Inactive {
		words = append(words, "inactive")
	}
	for _, path := range slices.Sorted(maps.Keys(l.Traits)) {
		words = append(words, "traits."+plain(path)+"="+plain(shown(l.Traits[path])))
	}
	for _, w := range l.Warnings {
		words = append(words, named("warning", w.Code))
	}
	return printWords(out, words)
}

// shown is the value of a trait as text.
func shown(value any) string {
	if text, ok := value.(json.RawMessage); ok {
		return string(text)
	}
	if value == nil {
		return "null"
	}
	return fmt.Sprint(value)
}

// printRejection prints a rejected call on one line for people: the reason first, which is what they look for.
func printRejection(out io.Writer, r *identityv1.RejectedCall, clock string, more ...string) error {
	words := append([]string{r.GetReceived().AsTime().Local().Format(clock), plain(r.GetSource())}, more...)
	kind := r.GetType()
	if kind == "" {
		kind = "-"
	}
	words = append(words, plain(kind), r.GetCode()+":", r.GetMessage(), named("user", r.GetUserId()), named("message", r.GetMessageId()))
	if r.GetTimes() > 1 {
		words = append(words, named("times", strconv.FormatInt(r.GetTimes(), 10)))
	}
	body := []rune(strings.ToValidUTF8(string(r.GetBody()), "\uFFFD"))
	begin := body[:min(len(body), shownBody)]
	words = append(words, strings.Map(visible, string(begin)))
	if len(begin) < len(body) || int64(len(r.GetBody())) < r.GetBodyBytes() {
		words = append(words, fmt.Sprintf("… (%d bytes)", r.GetBodyBytes()))
	}
	return printWords(out, words)
}

func printWords(out io.Writer, words []string) error {
	words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
	_, err := fmt.Fprintln(out, strings.Join(words, " "))
	return err
}

// named returns a value with its name, nothing where there is none.
func named(name, value string) string {
	if value == "" {
		return ""
	}
	return name + "=" + plain(value)
}

// plain returns text as it is if it is one word that can be seen, else quoted: what senders made up must not steer a terminal.
func plain(text string) string {
	strange := func(r rune) bool {
		return !unicode.IsGraphic(r) || unicode.IsSpace(r) || r == '"' || r == unicode.ReplacementChar
	}
	if strings.IndexFunc(text, strange) >= 0 {
		return strconv.Quote(text)
	}
	return text
}

// visible replaces what cannot be seen.
func visible(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return ' '
	case !unicode.IsGraphic(r):
		return unicode.ReplacementChar
	}
	return r
}
