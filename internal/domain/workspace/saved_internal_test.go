package workspace

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// anyConfig draws a configuration, which need not be a good one: every field may be set, not set, or set to nothing.
func anyConfig(t *rapid.T) *Config {
	var c Config
	draw(t, reflect.ValueOf(&c).Elem())
	return &c
}

// draw sets what is at v to anything that a file can say.
func draw(t *rapid.T, v reflect.Value) {
	switch v.Interface().(type) {
	case Secret:
		v.Set(reflect.ValueOf(NewSecret("x" + text.Draw(t, "secret"))))
		return
	case Duration:
		v.Set(reflect.ValueOf(Duration(rapid.Int64Range(0, int64(48*time.Hour)).Draw(t, "duration"))))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			tag := v.Type().Field(i).Tag.Get("yaml")
			if tag == "-" {
				continue
			}
			draw(t, v.Field(i))
			if v.Field(i).Kind() == reflect.Slice && v.Field(i).IsNil() && !strings.HasSuffix(tag, ",omitempty") {
				v.Field(i).Set(reflect.MakeSlice(v.Field(i).Type(), 0, 0)) // which it is the same as
			}
		}
	case reflect.Pointer:
		if rapid.Bool().Draw(t, "set") {
			v.Set(reflect.New(v.Type().Elem()))
			draw(t, v.Elem())
		}
	case reflect.Slice:
		if n := rapid.IntRange(-1, 2).Draw(t, "length"); n >= 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				draw(t, v.Index(i))
			}
		}
	case reflect.Map:
		if n := rapid.IntRange(-1, 2).Draw(t, "length"); n >= 0 {
			v.Set(reflect.MakeMap(v.Type()))
			for range n {
				value := reflect.New(v.Type().Elem()).Elem()
				draw(t, value)
				if value.IsNil() {
					value.Set(reflect.MakeSlice(value.Type(), 0, 0)) // which it is the same as
				}
				v.SetMapIndex(reflect.ValueOf(text.Draw(t, "key")), value)
			}
		}
	case reflect.String:
		v.SetString(text.Draw(t, "text"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Int:
		v.SetInt(rapid.Int64Range(-5, 1e9).Draw(t, "int"))
	case reflect.Float64:
		v.SetFloat(rapid.Float64Range(0, 1e9).Draw(t, "float"))
	default:
		t.Fatalf("the test draws no %s", v.Type())
	}
}

// text is what YAML may take for something else, and anything.
var text = rapid.OneOf(
	rapid.SampledFrom([]string{
		"", " ", "null", "~", "true", "no", "0123", "1e3", ".inf", "NaN", "2026-11-01", "[object Object]", "{a}", "*x", "&x", "!x", "|", ">", "- a",
		"a: b", "a #b", "#", "%", "@", "`", "'", `"`, `\`, "a\nb", "a\n", "\ta", "a ", " a", "sha256:", "file:x", "<<", "=", "?", "---", "...", "\r", "\x00",
		"\u0085", "\u2028", "\ufeff", "a,b", "x'y\"z",
	}),
	rapid.String(),
)

func TestEveryConfigurationIsWrittenBackAsItIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyConfig(t)
		written, err := want.Encode()
		if err != nil {
			t.Fatal(err)
		}
		d, err := decode(written)
		if err != nil || len(d.problems) > 0 {
			t.Fatalf("%v, %v:\n%s", err, d.problems, written)
		}
		got := d.config
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%s:\n%s", diff, written)
		}
		for i := range want.Workspaces {
			for j := range want.Workspaces[i].Sources {
				if is, was := got.Workspaces[i].Sources[j].AbsentIDs, want.Workspaces[i].Sources[j].AbsentIDs; (is == nil) != (was == nil) {
					t.Fatalf("absent_ids of nothing and absent_ids not set are one:\n%s", written)
				}
			}
		}
	})
}
