package pixel

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

// object is a JSON object of texts and objects.
type object map[string]any

// assemble makes a call's JSON of one parameter for each member. Members of members are named with dots.
func assemble(query url.Values) ([]byte, *segment.Problem) {
	root := object{}
	for name, values := range query {
		if len(values) > 1 || !root.set(strings.Split(name, "."), values[0]) {
			return nil, &segment.Problem{
				Code: "query_invalid", Message: "a parameter of the query stands twice, or for a text and an object at once: send it once",
			}
		}
	}
	text, err := root.append(nil)
	if err != nil {
		return nil, &segment.Problem{Code: "json_invalid_utf8", Message: "the query holds invalid UTF-8: encode text as UTF-8"}
	}
	return text, nil
}

// set puts a text where path leads. It returns false where something else is there.
func (o object) set(path []string, text string) bool {
	name := path[0]
	if len(path) == 1 {
		_, taken := o[name]
		o[name] = text
		return !taken
	}
	if _, there := o[name]; !there {
		o[name] = object{}
	}
	inner, ok := o[name].(object)
	return ok && inner.set(path[1:], text)
}

// append appends the JSON of the object, its members in order of their names, so that the same query gives the same call.
func (o object) append(to []byte) (_ []byte, err error) {
	to = append(to, '{')
	for i, name := range slices.Sorted(maps.Keys(o)) {
		if i > 0 {
			to = append(to, ',')
		}
		if to, err = jsontext.AppendQuote(to, name); err != nil {
			return to, err
		}
		to = append(to, ':')
		switch value := o[name].(type) {
		case object:
			to, err = value.append(to)
		case string:
			to, err = jsontext.AppendQuote(to, value)
		}
		if err != nil {
			return to, err
		}
	}
	return append(to, '}'), nil
}
