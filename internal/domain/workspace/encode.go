package workspace

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// encode returns a value as YAML that reads back as the same. What the library writes does not: it leaves texts such as ".inf" without
// quotes, and leaves out lists that are set to nothing.
func encode(v any) ([]byte, error) {
	lines, _, err := linesOf(reflect.ValueOf(v))
	if err != nil {
		return nil, err
	}
	return []byte(strings.Join(lines, "\n") + "\n"), nil
}

// linesOf returns the lines of a value, and whether it may stand on the line of its key.
func linesOf(v reflect.Value) (lines []string, onOne bool, err error) {
	if m, ok := v.Interface().(interface{ MarshalYAML() (any, error) }); ok {
		text, err := m.MarshalYAML()
		return []string{scalar(fmt.Sprint(text))}, true, err
	}
	switch v.Kind() {
	case reflect.Pointer:
		return linesOf(v.Elem())
	case reflect.String:
		return []string{scalar(v.String())}, true, nil
	case reflect.Bool, reflect.Int, reflect.Float64:
		return []string{fmt.Sprint(v.Interface())}, true, nil
	case reflect.Struct:
		lines, err = fields(v)
	case reflect.Map:
		lines, err = pairs(v)
	case reflect.Slice:
		lines, err = items(v)
		if len(lines) == 0 {
			return []string{"[]"}, true, err
		}
	default:
		return nil, false, fmt.Errorf("a %s cannot be written", v.Type())
	}
	if len(lines) == 0 {
		return []string{"{}"}, true, err
	}
	return lines, false, err
}

func fields(v reflect.Value) (lines []string, err error) {
	for i := range v.NumField() {
		name, option, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		if name == "-" || option == notSet && v.Field(i).IsZero() {
			continue
		}
		if lines, err = pair(lines, name, v.Field(i)); err != nil {
			return nil, err
		}
	}
	return lines, nil
}

// notSet in a field's tag leaves the field out while it is not set. A list that is set to nothing is not left out: that is another thing.
const notSet = "omitempty"

func pairs(v reflect.Value) (lines []string, err error) {
	names := slices.SortedFunc(maps.Keys(v.Interface().(map[string][]Rule)), strings.Compare)
	for _, name := range names {
		if lines, err = pair(lines, scalar(name), v.MapIndex(reflect.ValueOf(name))); err != nil {
			return nil, err
		}
	}
	return lines, nil
}

func pair(lines []string, key string, v reflect.Value) ([]string, error) {
	value, onOne, err := linesOf(v)
	if onOne {
		return append(lines, key+": "+value[0]), err
	}
	return indented(append(lines, key+":"), "  ", value), err
}

func items(v reflect.Value) (lines []string, err error) {
	for i := range v.Len() {
		value, _, err := linesOf(v.Index(i))
		if err != nil {
			return nil, err
		}
		lines = indented(append(lines, "- "+value[0]), "  ", value[1:])
	}
	return lines, nil
}

func indented(lines []string, by string, more []string) []string {
	for _, line := range more {
		lines = append(lines, by+line)
	}
	return lines
}

var (
	plainText = regexp.MustCompile(`^[a-z][a-z0-9_]*( [a-z0-9_]+)*$|^sha256:[0-9a-f]{64}$`)
	notPlain  = []string{"null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf"}
)

// scalar returns a text in quotes, unless nobody can take it for anything else.
func scalar(text string) string {
	if plainText.MatchString(text) && !slices.Contains(notPlain, text) {
		return text
	}
	return strconv.Quote(text)
}
