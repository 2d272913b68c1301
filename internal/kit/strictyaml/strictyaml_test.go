package strictyaml_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/internal/kit/strictyaml"
)

// file is what tests read.
type file struct {
	Name   string            `yaml:"name"`
	Size   int               `yaml:"size,omitempty"`
	Rate   float64           `yaml:"rate,omitempty"`
	Open   *bool             `yaml:"open,omitempty"`
	Words  []string          `yaml:"words,omitempty"`
	Secret hidden            `yaml:"secret,omitempty"`
	Rules  []rule            `yaml:"rules,omitempty"`
	Inner  *file             `yaml:"inner,omitempty"`
	Inners []file            `yaml:"inners,omitempty"`
	ByName map[string][]rule `yaml:"by_name,omitempty"`
}

// rule is a path, or a path with words.
type rule struct {
	Path  string   `yaml:"path"`
	Words []string `yaml:"words,omitempty"`
}

func (r *rule) SetShort(text string) { r.Path = text }

// hidden is a text that reads itself.
type hidden string

func (h *hidden) SetText(text string) { *h = hidden("read " + text) }

func decode(text string) (file, []error, error) {
	var f file
	d, err := strictyaml.Parse([]byte(text))
	if err != nil {
		return f, nil, err
	}
	problems, err := d.Decode(&f)
	return f, problems, err
}

func TestEveryKindOfValueIsReadAndWrittenBack(t *testing.T) {
	got, problems, err := decode(`
# what is written beside it does not count
name: 2026-11-01 # a text, whatever it looks like
size: 12
rate: 1e3
open: true
words: [null and void, "null", ~tilde, 012, true, ""]
rules:
  - a.b
  - {path: c, words: []}
  - path: "12"
inner:
  name:
  open: ~
  words: null
inners: []
by_name:
  "a: b": [x]
  none:
`)
	if err != nil || problems != nil {
		t.Fatal(problems, err)
	}
	yes := true
	want := file{
		Name: "2026-11-01", Size: 12, Rate: 1000, Open: &yes, Words: []string{"null and void", "null", "~tilde", "012", "true", ""},
		Rules: []rule{{Path: "a.b"}, {Path: "c", Words: []string{}}, {Path: "12"}}, Inner: &file{}, Inners: []file{},
		ByName: map[string][]rule{"a: b": {{Path: "x"}}, "none": nil},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	text, err := strictyaml.Encode(&got)
	if err != nil {
		t.Fatal(err)
	}
	want.Rules[1].Words, want.Inners = nil, nil // left out when empty
	want.ByName["none"] = []rule{}
	again, problems, err := decode(string(text))
	if diff := cmp.Diff(want, again); diff != "" || problems != nil || err != nil {
		t.Errorf("%s %v %v of\n%s", diff, problems, err, text)
	}
}

func TestATextThatReadsItselfIsGivenWhatIsWritten(t *testing.T) {
	for written, want := range map[string]hidden{
		"plain": "read plain", "0x10": "read 0x10", "1e9": "read 1e9", "true": "read true", "'1'": "read 1", "a:b": "read a:b", "!!str 5": "read 5",
		"[x]": "", "~": "",
	} {
		f, problems, err := decode("secret: " + written)
		if f.Secret != want || err != nil || (problems != nil) != (written == "[x]") {
			t.Errorf("%s: %q, %v, %v", written, f.Secret, problems, err)
		}
	}
}

func TestNothingIsADocumentWithoutFields(t *testing.T) {
	for _, text := range []string{"", "\n", "# only\n", "---\n", "~", "---\n...\n", "\xef\xbb\xbf"} {
		if f, problems, err := decode(text); f.Name != "" || problems != nil || err != nil {
			t.Errorf("%q: %v, %v", text, problems, err)
		}
	}
}

func TestEveryProblemHasItsPositionAndPlaceAndAllAreNamedAtOnce(t *testing.T) {
	_, problems, err := decode(`
nam: x
name: [secret-a]
size: secret-b
rate: "1"
open: !!bool secret-c
words: secret-c
secret: {secret-d: x}
rules:
  - 5
  - ~
  - {pfad: x, path: [secret-e]}
  - path: !secret-f x
  - 
inner: secret-g
inners:
  - name: a
    name: secret-h
    size: 1.5
  -
    secret-1234567890: x
    [secret-i]: x
    "<<": x
by_name: {a: {secret-j: x}, b: [[secret-k]]}
`)
	if err != nil {
		t.Fatal(err)
	}
	const fields = "the fields here are name, size, rate, open, words, secret, rules, inner, inners, by_name"
	want := []string{
		"[2:1] nam: unknown field: " + fields,
		"[3:1] name: a list or fields where one value belongs: write the value alone",
		"[4:1] size: no whole number, such as 100",
		"[5:1] rate: no number, such as 0.5",
		"[6:1] open: neither true nor false",
		"[7:1] words: no list: write [one, two]",
		"[8:1] secret: a list or fields where one value belongs: write the value alone",
		"[10:5] rules[0]: neither a text nor fields: quote it if it is a text",
		"[11:5] rules[1]: empty: write a value, in quotes if it is the word null",
		"[12:6] rules[2].pfad: unknown field: the fields here are path, words",
		"[12:15] rules[2].path: a list or fields where one value belongs: write the value alone",
		"[13:5] rules[3].path: a tag (!) means nothing here: take it away, or quote the text",
		"[14:4] rules[4]: empty: write a value, in quotes if it is the word null",
		"[15:1] inner: has no fields: write name: value, with the names " + strings.TrimPrefix(fields, "the fields here are "),
		"[18:5] inners[0].name: stands twice: take one away",
		"[19:5] inners[0].size: no whole number, such as 100",
		"[22:5] inners[1]: a name of a field that is no text: write name: value",
		"[21:5] inners[1]: unknown field: " + fields,
		"[23:5] inners[1]: unknown field: " + fields,
		"[24:11] by_name.a: no list: write [one, two]",
		"[24:33] by_name.b[0]: has no fields: write name: value, with the names path, words",
	}
	got := strings.Split(errors.Join(problems...).Error(), "\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsNoYAMLIsAnErrorWithItsPositionThatShowsNothing(t *testing.T) {
	for text, want := range map[string]string{
		"name: x\nwords: [secret-a":             "[3:1] the YAML cannot be read: did not find expected ',' or ']'",
		"name: x\n secret-a: y":                 "[2:10] the YAML cannot be read: mapping values are not allowed in this context",
		"name: x\n\tsize: 1":                    "[2:1] the YAML cannot be read: found a tab character that violates indentation",
		"name: *secret-a":                       "[1:7] the YAML cannot be read: an alias (*) names no anchor (&) above it: quote a text that begins with *",
		"name: !secret{a x":                     "[1:14] the YAML cannot be read: found a tag (!) that is none: quote a text that begins with !",
		"name: %secret-a":                       "[1:7] the YAML cannot be read: found character that cannot start any token",
		"name: @secret-a":                       "[1:7] the YAML cannot be read: found character that cannot start any token",
		"name: \"secret\\x\"":                   "[1:16] the YAML cannot be read: did not find expected hexadecimal number",
		"name: x\nsize: \x07":                   "[2:7] the YAML cannot be read: control characters are not allowed",
		"name: é\r\nsize: é\xff":                "[2:8] the YAML cannot be read: invalid leading UTF-8 octet",
		"name: x\n---\nname: secret-a":          "[2:1] a second document begins here (---): put everything into the first",
		"name: x\n---\nwords: [":                "[4:1] the YAML cannot be read: did not find expected node content",
		"name: x\n...\nsecret-a":                "[3:1] a second document begins here (---): put everything into the first",
		strings.Repeat("[", 20000):              "[1:10001] the YAML cannot be read: exceeded max depth of 10000",
		"name: x\nsize: &a {\nrate: &secret *x": "",
	} {
		_, _, err := decode(text)
		switch {
		case err == nil || strings.Contains(err.Error(), "secret") || !strings.HasPrefix(err.Error(), "["):
			t.Errorf("%.40q: %v", text, err)
		case want != "" && err.Error() != want:
			t.Errorf("%.40q: %v, want %s", text, err, want)
		}
	}
}

func TestAliasesAndMergedFieldsAreReadAsIfTheyWereWrittenOut(t *testing.T) {
	got, problems, err := decode(`
inners:
  - &one {name: one, size: 1, words: &words [a, b]}
  - &two {<<: *one, name: two, rate: 2}
  - {size: 3, <<: [*two, *one, {open: true}]}
  - *two
words: *words
`)
	if err != nil || problems != nil {
		t.Fatal(problems, err)
	}
	yes, words := true, []string{"a", "b"}
	one := file{Name: "one", Size: 1, Words: words}
	two := file{Name: "two", Size: 1, Rate: 2, Words: words}
	want := file{Words: words, Inners: []file{one, two, {Name: "two", Size: 3, Rate: 2, Words: words, Open: &yes}, two}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatCannotBeMergedIsAProblem(t *testing.T) {
	for text, want := range map[string]string{
		"inner: {<<: secret}":        "[1:13] inner: what is merged (<<) has no fields: name a mapping by its alias (*)",
		"inner: {<<: ~}":             "[1:13] inner: what is merged (<<) has no fields: name a mapping by its alias (*)",
		"inner: {<<: [{name: [b]}]}": "[1:15] inner.name: a list or fields",
		"<<: {<<: {<<: [x]}}":        "[1:16] what is merged (<<) has no fields",
	} {
		_, problems, err := decode(text)
		if err != nil || len(problems) == 0 || !strings.HasPrefix(problems[0].Error(), want) || strings.Contains(problems[0].Error(), "secret") {
			t.Errorf("%s: %v, %v, want %s", text, problems, err, want)
		}
	}
}

func TestAFewAliasesCannotStandForMillionsOfValues(t *testing.T) {
	bomb := "words: &w [" + strings.Repeat("x,", 1000) + "]\n" +
		"rules: &r [" + strings.Repeat("{path: x, words: *w},", 1000) + "]\n"
	if _, problems, err := decode(bomb); err == nil || problems != nil ||
		err.Error() != "[2:21008] rules[999].words[0]: aliases (*) repeat more than 1000000 values: use fewer of them" {
		t.Errorf("%v, %v", problems, err)
	}
	merged := "inner: &i {" + "name: x, size: 1}\ninners: [" + strings.Repeat("{<<: ["+strings.Repeat("*i,", 1000)+"]},", 400) + "]"
	if _, _, err := decode(merged); err == nil || !strings.Contains(err.Error(), "aliases (*) repeat") {
		t.Errorf("merged: %v", err)
	}
	if _, problems, err := decode(strings.Replace(bomb, "*w},", "*w}] #", 1)); problems != nil || err != nil {
		t.Errorf("a thousand: %v, %v", problems, err)
	}
}

func TestAProblemIsLocatedAtWhatItIsAboutOrAtWhatThatIsMissingIn(t *testing.T) {
	d, err := strictyaml.Parse([]byte(`
inners:
  - name: a
    rules: &shared
      - x
      - {path: y}
  - rules: *shared
  - {<<: {size: 1}, size: [1], name: a}
by_name:
  a: []
  a.b: [x]
  "a: b": [x]
`))
	if err != nil {
		t.Fatal(err)
	}
	for place, want := range map[string]string{
		"": "2:1", "name": "2:1", "inners": "2:1", "inners[0]": "3:5", "inners[0].name": "3:5", "inners[0].rules": "4:5", "inners[0].rules[0]": "5:9",
		"inners[0].rules[0].path": "5:9", "inners[0].rules[1].path": "6:10", "inners[0].rules[2]": "4:5", "inners[0].size": "3:5",
		"inners[1].rules": "7:5", "inners[1].rules[1].path": "6:10", "inners[2].name": "8:32", "by_name.a": "10:3", "by_name.a.b": "11:3",
		"by_name.a.b[0]": "11:9", "by_name.a: b": "12:3", "by_name.b": "9:1", "inners[99999999999999999999]": "2:1", "inners[-1]": "2:1", "inners[": "2:1",
	} {
		got := d.Locate([]error{fmt.Errorf("%s: is amiss", place)})
		if len(got) != 1 || got[0].Error() != fmt.Sprintf("[%s] %s: is amiss", want, place) {
			t.Errorf("%s: %v, want %s", place, got, want)
		}
	}
}

func TestWhatFollowsFromAValueThatCouldNotBeReadIsNoProblemOfItsOwn(t *testing.T) {
	d, err := strictyaml.Parse([]byte("name: &nothing ~\ninners: [{size: [1], rate: 1}, *nothing, &one {open: x}, *one]"))
	if err != nil {
		t.Fatal(err)
	}
	if problems, err := d.Decode(&file{}); len(problems) != 3 || err != nil {
		t.Fatal(problems, err)
	}
	for place, want := range map[string]int{
		"inners[0].size": 0, "inners[0].size[0]": 0, "inners[1].name": 0, "inners[2].open": 0, "inners[3].open": 0,
		"inners[0].rate": 1, "inners[0].name": 1, "inners[3].name": 1, "name": 1,
	} {
		if got := d.Locate([]error{errors.New(place + ": is amiss")}); len(got) != want {
			t.Errorf("%s: %v, want %d", place, got, want)
		}
	}
}

// FuzzDecode: whatever a text holds, nothing panics, every problem has a position, and what is read is written and read again.
func FuzzDecode(f *testing.F) {
	f.Add("name: a\ninners: [&a {name: x, <<: {size: 1}}, *a]\nrules: [a, {path: b}]\nby_name: {a.b: [c]}")
	f.Add("a: !x y\n? [b]\n: c\n<<: &a {<<: *a}\n")
	f.Add("words: [~, 'a', \"\\0\", |\n  b\n]\n---\n")
	f.Fuzz(func(t *testing.T, text string) {
		read, problems, err := decode(text)
		for _, problem := range problems {
			if !strings.HasPrefix(problem.Error(), "[") {
				t.Errorf("no position: %v", problem)
			}
		}
		if err != nil || problems != nil {
			return
		}
		read.Secret = ""
		first, err := strictyaml.Encode(&read)
		if err != nil {
			t.Fatal(err)
		}
		again, problems, err := decode(string(first))
		if problems != nil || err != nil {
			t.Fatalf("%v, %v of\n%s", problems, err, first)
		}
		again.Secret = ""
		second, err := strictyaml.Encode(&again)
		if err != nil || string(second) != string(first) {
			t.Fatalf("%v, written as\n%s\nthen as\n%s", err, first, second)
		}
	})
}

func TestWhatHoldsItselfIsReadToNoEnd(t *testing.T) {
	const deep, merged = "more than 100 deep within", "merged (<<) more than 10 deep: write"
	for text, want := range map[string]string{
		"inner: &a {inner: *a}":                       deep,
		"inners: &a [{inners: *a}]":                   deep,
		"inners: &a [{inners: *a}, {inners: *a}]":     deep,
		"inner: &a {<<: *a}":                          merged,
		"inner: &a {<<: [*a, *a, *a, *a, *a, *a]}":    merged,
		"inner: &a {<<: *a, inner: *a, inners: [*a]}": merged,
		"words: &a [*a, *a]":                          "words[0]: a list or fields",
		"inner: &a {words: *a}":                       "inner.words: no list",
	} {
		_, problems, err := decode(text)
		if said := fmt.Sprint(problems, err); !strings.Contains(said, want) || len(said) > 3000 {
			t.Errorf("%s: %.2000s, want %s", text, said, want)
		}
	}
}

func TestAProblemOfWhatAliasesRepeatIsSaidOnce(t *testing.T) {
	_, problems, err := decode("name: &b z\ninners: [&a {size: x, nam: y}, " + strings.Repeat("*a, {<<: *a}, ", 10000) + "{size: *b}, {size: *b}]\n")
	if err != nil || len(problems) != 4 {
		t.Errorf("%d problems, %v:\n%.1000s", len(problems), err, fmt.Sprint(problems))
	}
}
