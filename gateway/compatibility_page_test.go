package gateway_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pageRow is a row of the page: where it stands, and the tests that its last cell names.
type pageRow struct {
	line  int
	tests []string
}

// pageRows returns the rows of the page's tables but their heads.
func pageRows(t *testing.T) []pageRow {
	t.Helper()
	text, err := os.ReadFile("../docs/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []pageRow
	for i, line := range strings.Split(string(text), "\n") {
		cells := strings.Split(strings.TrimSuffix(line, "|"), "|")
		last := strings.TrimSpace(cells[len(cells)-1])
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") || last == "test" {
			continue
		}
		row := pageRow{line: i + 1}
		for _, name := range regexp.MustCompile("`(Test[^`]+)`").FindAllStringSubmatch(last, -1) {
			row.tests = append(row.tests, name[1])
		}
		rows = append(rows, row)
	}
	return rows
}

func TestEveryRowOfTheCompatibilityPageNamesTestsThatExist(t *testing.T) {
	functions := testFunctions(t)
	shown := map[string]bool{}
	for _, row := range pageRows(t) {
		if len(row.tests) == 0 {
			t.Errorf("line %d names no test", row.line)
		}
		for _, name := range row.tests {
			function, sub, _ := strings.Cut(name, "/")
			files := functions[function]
			switch {
			case function == "TestCompatibility":
				shown[sub] = true
			case len(files) == 0:
				t.Errorf("line %d: there is no %s", row.line, function)
			case sub != "" && !slices.ContainsFunc(files, func(text string) bool { return holdsCase(text, sub) }):
				t.Errorf("line %d: %s has no case %q", row.line, function, sub)
			}
		}
	}
	exist := map[string]bool{}
	for id := range cases() {
		exist[strings.ReplaceAll(id, " ", "_")] = true
	}
	for _, id := range slices.Sorted(maps.Keys(shown)) {
		if !exist[id] {
			t.Errorf("the page names TestCompatibility/%s, which does not exist", id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(exist)) {
		if !shown[id] {
			t.Errorf("no row of the page names TestCompatibility/%s", id)
		}
	}
}

// holdsCase reports whether source text holds the name of a subtest as a string.
func holdsCase(text, sub string) bool {
	return strings.Contains(text, `"`+sub+`"`) || strings.Contains(text, `"`+strings.ReplaceAll(sub, "_", " ")+`"`)
}

// testFunctions returns the source text of the files, anywhere in the repository, that hold a test function, by its name.
func testFunctions(t *testing.T) map[string][]string {
	t.Helper()
	functions := map[string][]string{}
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || len(entry.Name()) > 2 && entry.Name()[0] == '.'):
			return fs.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, found := range declared.FindAllStringSubmatch(string(text), -1) {
			functions[found[1]] = append(functions[found[1]], string(text))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return functions
}
