package profile

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sojournhq/sojourn/internal/domain/call"
)

// View is what the contract's traits say of a user or an account.
type View struct {
	// Values by the contract's name of the trait. A trait that was never sent, was cleared, or cannot be used is not there.
	Values map[string]Value
	// Problems by code.
	Problems []Problem
}

// Problem says that something was sent for a trait, or for a dimension, that could not be used.
type Problem struct {
	// Code is the trait in snake_case and what is wrong: invalid (not what the trait's values are), unknown (not named in the settings),
	// too_long (and so it was cut) or too_large (and so it was not kept). Of a dimension it is one of the codes of this package.
	Code string
	// Trait is the contract's name; empty if the problem is a dimension's.
	Trait string
	// Dimension is the dimension's name; empty if the problem is a trait's.
	Dimension string
}

// Compare orders problems by code, then by what they are of.
func (p Problem) Compare(q Problem) int {
	return cmp.Or(cmp.Compare(p.Code, q.Code), cmp.Compare(p.Trait, q.Trait), cmp.Compare(p.Dimension, q.Dimension))
}

// MergeUser returns a user's fields after a call that sent traits of the user.
func MergeUser(fields []Field, c *call.Call) []Field {
	return fit(Join(fields, userTraits.fields(c)), userTraits.mapped)
}

// MergeAccount returns an account's fields after a call that sent traits of the account.
func MergeAccount(fields []Field, c *call.Call) []Field {
	return fit(Join(fields, accountTraits.fields(c)), accountTraits.mapped)
}

// ViewUser returns the view of a user. Where no first or last name was sent since the user's whole name, it is read from that.
func ViewUser(fields []Field) View {
	found := userTraits.candidates(fields, Settings{})
	splitName(found)
	return userTraits.view(found, Settings{})
}

// ViewAccount returns the view of an account as the settings of its workspace have it.
func ViewAccount(fields []Field, s Settings) View {
	return accountTraits.view(accountTraits.candidates(fields, s), s)
}

// Missing returns the traits that an account still needs to be complete, of name and createdAt.
func Missing(account View) []string {
	var missing []string
	for _, name := range []string{"name", "createdAt"} {
		if _, ok := account.Values[name]; !ok {
			missing = append(missing, name)
		}
	}
	return missing
}

func (s *schema) view(found map[string]candidate, settings Settings) View {
	v := View{Values: map[string]Value{}}
	for _, t := range s.traits {
		c, ok := found[t.name]
		if !ok || c.clears() {
			continue
		}
		value, wrong := settings.read(t.kind, c.Value)
		switch {
		case c.misplaced():
			wrong = invalid
		case c.TooLarge:
			wrong = tooLarge
		}
		if wrong == fine || wrong == tooLong {
			v.Values[t.name] = value
		}
		if wrong != fine {
			v.Problems = append(v.Problems, Problem{Code: snakeCase(t.name) + "_" + wrong, Trait: t.name})
		}
	}
	slices.SortFunc(v.Problems, Problem.Compare)
	return v
}

// splitName puts the parts of a whole name in the place of a first or last name that was not sent, is empty, or was cleared by null before
// the whole name came. The first word is the first name, the rest the last.
func splitName(found map[string]candidate) {
	whole, ok := found[fullName]
	delete(found, fullName)
	if !ok || whole.below || whole.Value.Kind != call.String {
		return
	}
	words := strings.Fields(whole.Value.Text)
	if len(words) == 0 {
		return
	}
	for trait, part := range map[string]string{"first_name": words[0], "last_name": strings.Join(words[1:], " ")} {
		own, sent := found[trait]
		cleared := own.Value.Kind == call.Null && own.At.Compare(whole.At) >= 0
		if part == "" || sent && (!own.clears() || cleared) {
			continue
		}
		found[trait] = candidate{Field: Field{Path: fullName, Value: call.Value{Kind: call.String, Text: part}, At: whole.At}}
	}
}

// snakeCase turns createdAt into created_at.
func snakeCase(name string) string {
	var b strings.Builder
	for _, r := range name {
		if 'A' <= r && r <= 'Z' {
			b.WriteByte('_')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}
