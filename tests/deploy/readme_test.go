package deploy_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const (
	tableBegins = "<!-- values: made from values.yaml by make chart-golden -->\n"
	tableEnds   = "<!-- end of values -->\n"
)

// valuesTable is a table of all that can be set, from values.yaml: what a value is for stands in the comment above it, or above what it is in.
func valuesTable(t *testing.T) string {
	t.Helper()
	var file yaml.Node
	if err := yaml.Unmarshal([]byte(read(t, "deploy/helm/sojourn/values.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| value | default | what it is |\n| --- | --- | --- |\n")
	rows(&table, "", file.Content[0])
	return table.String()
}

// rows writes a row for each value in a mapping, and one for a mapping that has a comment of its own.
func rows(table *strings.Builder, prefix string, mapping *yaml.Node) {
	for i := 0; i < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		name, comment := prefix+key.Value, comments(key, value)
		switch {
		case key.Value == "<<":
			fmt.Fprintf(table, "| `%s*` | | as `%s.*` |\n", prefix, aliased(value.Value))
		case value.Kind == yaml.AliasNode:
			fmt.Fprintf(table, "| `%s.*` | | as `%s.*` |\n", name, aliased(value.Value))
		case value.Kind == yaml.MappingNode && len(value.Content) > 0:
			if comment != "" {
				fmt.Fprintf(table, "| **`%s`** | | %s |\n", name, comment)
			}
			rows(table, name+".", value)
		default:
			fmt.Fprintf(table, "| `%s` | `%s` | %s |\n", name, inline(value), comment)
		}
	}
}

// aliased is where an anchor of values.yaml stands.
func aliased(anchor string) string {
	return map[string]string{"service": "identity", "probes": "gateway.probes"}[anchor]
}

// comments are those above a value, and behind it, on one line.
func comments(key, value *yaml.Node) string {
	var words []string
	for _, text := range []string{key.HeadComment, value.LineComment} {
		paragraphs := strings.Split(text, "\n\n")
		for _, line := range strings.Split(paragraphs[len(paragraphs)-1], "\n") {
			words = append(words, strings.Fields(strings.TrimPrefix(line, "#"))...)
		}
	}
	return strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(strings.Join(words, " "))
}

func inline(value *yaml.Node) string {
	copied := *value
	copied.Style, copied.HeadComment, copied.LineComment, copied.FootComment = yaml.FlowStyle, "", "", ""
	if value.Kind == yaml.ScalarNode {
		copied.Style = value.Style
	}
	text, err := yaml.Marshal(&copied)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text))
}

// TestTheReadmeOfTheChartHasEveryValue is renewed by -update, as the golden files are.
func TestTheReadmeOfTheChartHasEveryValue(t *testing.T) {
	const path = "deploy/helm/sojourn/README.md"
	before, rest, begins := strings.Cut(read(t, path), tableBegins)
	got, after, ends := strings.Cut(rest, tableEnds)
	if !begins || !ends {
		t.Fatalf("%s has no place for the table", path)
	}
	want := valuesTable(t)
	if *update {
		if err := os.WriteFile("../../"+path, []byte(before+tableBegins+want+tableEnds+after), 0o600); err != nil {
			t.Fatal(err)
		}
		got = want
	}
	if got != want {
		t.Errorf("%s has another table than values.yaml makes; make chart-golden renews it", path)
	}
	for _, name := range []string{"keys.generate", "events.*", "sessions.keepChanges", "identity.persistence.existingClaim", "gateway.probes.startup"} {
		if !strings.Contains(want, "`"+name) {
			t.Errorf("%s is not in the table", name)
		}
	}
}
