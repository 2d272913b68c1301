package call_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/call"
)

func TestAPlaceIsWrittenAsItIsRead(t *testing.T) {
	for text, want := range map[string]call.Place{
		"group.plan":                   {Type: call.Group, Path: "plan"},
		"group.address.country":        {Type: call.Group, Path: "address.country"},
		"identify.company.size":        {Type: call.Identify, Path: "company.size"},
		"group.total billed":           {Type: call.Group, Path: "total billed"},
		`group.a\.b.c\\.d`:             {Type: call.Group, Path: `a\.b.c\\.d`},
		`group.ends with a dot\.`:      {Type: call.Group, Path: `ends with a dot\.`},
		`group.` + `\\\.` + `.\\`:      {Type: call.Group, Path: `\\\..\\`},
		"group.group.":                 {},
		"group.":                       {},
		"group":                        {},
		"":                             {},
		"plan":                         {},
		".plan":                        {},
		"track.plan":                   {},
		"Group.plan":                   {},
		"group..plan":                  {},
		"group.address..country":       {},
		`group.a\b`:                    {},
		`group.a\`:                     {},
		`group.a\\\`:                   {},
		"group." + long(call.MaxPath):  {Type: call.Group, Path: long(call.MaxPath)},
		"group.x" + long(call.MaxPath): {},
	} {
		got, err := call.ParsePlace(text)
		if got != want || (err == nil) != (want.Type != 0) {
			t.Errorf("%.40q read as %.40v, %v, want %.40v", text, got, err, want)
		}
		if err == nil && got.String() != text {
			t.Errorf("%.40q is written as %.40q", text, got)
		}
	}
}

func long(n int) string { return strings.Repeat("x", n) }

func TestWhatIsWrongWithAPlaceIsSaid(t *testing.T) {
	for text, want := range map[string]error{
		"plan": call.ErrPlaceType, "group.": call.ErrPlacePath, "group." + long(call.MaxPath+1): call.ErrPlaceLarge,
	} {
		if _, err := call.ParsePlace(text); !errors.Is(err, want) {
			t.Errorf("%.40q: %v, want %v", text, err, want)
		}
	}
}

func TestAPathLeadsThroughItsObjects(t *testing.T) {
	for path, want := range map[string][]string{
		"plan": nil, "a.b": {"a"}, "a.b.c": {"a", "a.b"}, `a\.b.c`: {`a\.b`}, `a\\.b`: {`a\\`}, `a\`: nil,
	} {
		if got := call.Objects(path); !slices.Equal(got, want) {
			t.Errorf("objects of %q = %q, want %q", path, got, want)
		}
	}
}

func FuzzAPlaceThatCanBeReadIsWrittenAsItWas(f *testing.F) {
	for _, text := range []string{"group.plan", `identify.a\.b.c\\`, "group.", `group.\`, "track.x", "group.a..b"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		place, err := call.ParsePlace(text)
		if err != nil {
			return
		}
		if got := place.String(); got != text {
			t.Errorf("%q is written as %q", text, got)
		}
		for _, object := range call.Objects(place.Path) {
			if _, err := call.ParsePlace(place.Type.String() + "." + object); err != nil || !strings.HasPrefix(place.Path, object+".") {
				t.Errorf("%q leads through %q, %v", text, object, err)
			}
		}
	})
}
