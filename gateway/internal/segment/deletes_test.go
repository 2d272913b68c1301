package segment_test

import (
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/workspace"

	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

func TestADeleteIsTakenOnlyOfASourceThatSignsItOrMaySendIt(t *testing.T) {
	const code = segment.CodeDeleteNotAllowed
	secrets := []string{"a-shared-secret-0"}
	for name, c := range map[string]struct {
		source   workspace.Source
		unsigned bool
		want     string
	}{
		"a source as it comes":                       {workspace.Source{}, false, code},
		"a source as it comes, later in an array":    {workspace.Source{}, true, code},
		"a source that may":                          {workspace.Source{AllowDelete: true}, false, ""},
		"a source that may, later in an array":       {workspace.Source{AllowDelete: true}, true, ""},
		"a source that signs":                        {workspace.Source{SharedSecrets: secrets}, false, ""},
		"a source that signs, later in an array":     {workspace.Source{SharedSecrets: secrets}, true, code},
		"a source that signs and may, in an array":   {workspace.Source{SharedSecrets: secrets, AllowDelete: true}, true, ""},
		"a source whose secrets were all taken away": {workspace.Source{SharedSecrets: []string{}}, false, code},
	} {
		t.Run(name, func(t *testing.T) {
			for _, text := range []string{with(map[string]any{"type": "delete"}), with(map[string]any{"type": raw(`"\u0064elete"`)}), with(nil)} {
				o := strict()
				o.Rules, o.Unsigned = segment.RulesOf(&c.source, o.MaxBytes), c.unsigned
				if text == with(nil) {
					o.Type = call.Delete
				}
				parsed, rejection := segment.Parse([]byte(text), o)
				switch {
				case c.want == "" && (rejection != nil || parsed.Call.Type != call.Delete):
					t.Errorf("%s: rejected as %+v", text, rejection)
				case c.want == "":
				case rejection == nil || rejection.Code != c.want || rejection.Type != "delete" || rejection.UserID != "user" || rejection.MessageID != "m1":
					t.Errorf("%s: rejected as %+v, want %s", text, rejection, c.want)
				}
			}
		})
	}
}

func TestASignatureCoversTheWholeOfAnObjectAndTheFirstOfAnArray(t *testing.T) {
	for body, want := range map[string][]bool{
		`[{},{},{}]`:              {false, true, true},
		`   [{},{}]`:              {false, true},
		`{"batch":[{},{}]}`:       {false, false},
		`[{"a":1,"a":2},{"b":7}]`: {false, true}, // is read the long way
	} {
		b, refused := segment.Split([]byte(body))
		if refused != nil {
			t.Fatalf("%s: %+v", body, refused)
		}
		for i, unsigned := range want {
			if got := b.Unsigned(i); got != unsigned {
				t.Errorf("%s: call %d is unsigned: %v, want %v", body, i, got, unsigned)
			}
		}
	}
}
