package tabular_test

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/internal/kit/terminal"

	"github.com/sojournhq/sojourn/gateway/internal/tabular"
)

// row has a value of each kind.
func row(text string) tabular.Object {
	return tabular.Object{
		{Name: "text", Value: text},
		{Name: "whole", Value: int64(-7)},
		{Name: "ratio", Value: -0.5},
		{Name: "truth", Value: true},
		{Name: "none", Value: nil},
		{Name: "codes", Value: []string{"a", "b"}},
		{Name: "no codes", Value: []string(nil)},
		{"traits", tabular.Object{{Name: "name", Value: "<Ä & Ö>"}, {Name: "size", Value: nil}}},
		{"loose", tabular.Loose{{Name: "x", Value: "1"}}},
		{"list", []tabular.Object{{{Name: "m", Value: ""}}, {{Name: "m", Value: "n"}}}},
	}
}

func TestARowIsOneLineOfJSONWithItsFieldsInOrder(t *testing.T) {
	got, err := tabular.AppendJSON([]byte("before\n"), row("=1\n\"2\""))
	want := "before\n" + `{"text":"=1\n\"2\"","whole":-7,"ratio":-0.5,"truth":true,"codes":["a","b"],"no codes":[],` +
		`"traits":{"name":"<Ä & Ö>"},"loose":{"x":"1"},"list":[{"m":""},{"m":"n"}]}` + "\n"
	if diff := cmp.Diff(want, string(got)); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestARowIsOneRecordOfCSVWithAColumnForEveryFieldSetOrNot(t *testing.T) {
	var s tabular.Sheet
	if err := s.Header(row("")); err != nil {
		t.Fatal(err)
	}
	if err := s.Row(row("a,\"b\"\nc")); err != nil {
		t.Fatal(err)
	}
	got, err := csv.NewReader(strings.NewReader(s.String())).ReadAll()
	want := [][]string{
		{"text", "whole", "ratio", "truth", "none", "codes", "no codes", "traits.name", "traits.size", "loose", "list"},
		{"a,\"b\"\nc", "-7", "-0.5", "true", "", "a b", "", "<Ä & Ö>", "", `{"x":"1"}`, `[{"m":""},{"m":"n"}]`},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestTextThatASpreadsheetWouldRunIsQuotedUnlessItIsToBeExact(t *testing.T) {
	for text, want := range map[string]string{
		"=1+1": "'=1+1", "+49 30": "'+49 30", "-1": "'-1", "@a": "'@a", "a=1": "a=1", "": "", "'=1": "'=1", "1": "1", " ": " ",
		" =1": "' =1", "\t=1": "'\t=1", "\n\u00a0\u3000-1": "'\n\u00a0\u3000-1", "\t x": "\t x", " 1-1": " 1-1",
		"＝1+1": "'＝1+1", "＋1": "'＋1", "－1": "'－1", " ＠a": "' ＠a", "１": "１",
		"\x00\x1b=1": `'\u0000\u001b=1`, "\u0085\x7f+1": `'\u0085\u007f+1`, "\ufeff=1": "'\ufeff=1", "\u200b\u202e=1": "'\u200b\\u202e=1",
		"\r=1": `'\u000d=1`, "red \x1b[31m": `red \u001b[31m`, "a\r\nb\tc": "a\r\nb\tc",
	} {
		if got := cell(t, false, text); got != strings.ReplaceAll(want, "\r\n", "\n") {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
		if got := cell(t, true, text); got != strings.ReplaceAll(text, "\r\n", "\n") {
			t.Errorf("%q, which is to be exact, became %q", text, got)
		}
	}
}

// cell returns what a reader of CSV reads for text. It reads the end of a line as one character.
func cell(t *testing.T, exact bool, text string) string {
	t.Helper()
	s := tabular.Sheet{Exact: exact}
	if err := s.Row(tabular.Object{{Name: "text", Value: text}, {Name: "more", Value: ""}}); err != nil {
		t.Fatal(err)
	}
	got, err := csv.NewReader(strings.NewReader(s.String())).Read()
	if err != nil {
		t.Fatal(err)
	}
	return got[0]
}

func TestNothingInARowSteersATerminal(t *testing.T) {
	const text = "\x1b]0;t\a\x7f\u009b\u202e\u2066\r"
	strange := tabular.Object{
		{Name: "text", Value: text},
		{Name: "list", Value: []string{text}},
		{"object", tabular.Object{{Name: "x", Value: text}}},
		{"loose", tabular.Loose{{Name: text, Value: text}}},
		{"objects", []tabular.Object{{{Name: "x", Value: text}}}},
	}
	line, err := tabular.AppendJSON(nil, strange)
	var s tabular.Sheet
	if err := errors.Join(err, s.Row(strange)); err != nil {
		t.Fatal(err)
	}
	for _, printed := range []string{string(line), s.String()} {
		if strings.ContainsFunc(printed, terminal.Steers) {
			t.Errorf("%q", printed)
		}
	}
	var read struct {
		Text  string
		Loose map[string]string
	}
	if err := json.Unmarshal(line, &read); err != nil || read.Text != text || read.Loose[text] != text {
		t.Errorf("JSON is exact always; %q was read from %s", read, line)
	}
}

func FuzzWhatIsWrittenCanBeReadAgain(f *testing.F) {
	f.Add("a,b", "=1\n")
	f.Fuzz(func(t *testing.T, name, text string) {
		line, err := tabular.AppendJSON(nil, tabular.Object{{name, text}})
		var got map[string]string
		if err != nil || json.Unmarshal(line, &got) != nil || len(got) != 1 || strings.Count(string(line), "\n") != 1 {
			t.Errorf("%q: %v", line, err)
		}
		s := tabular.Sheet{Exact: true}
		if err := s.Row(tabular.Object{{"a", name}, {Name: "b", Value: text}}); err != nil {
			t.Fatal(err)
		}
		record, err := csv.NewReader(strings.NewReader(s.String())).Read()
		normal := strings.NewReplacer("\r\n", "\n") // encoding/csv reads a line's end as one character
		if err != nil || record[0] != normal.Replace(name) || record[1] != normal.Replace(text) {
			t.Errorf("%q became %q, %v", []string{name, text}, record, err)
		}
	})
}
