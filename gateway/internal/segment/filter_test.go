package segment_test

import (
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/workspace"

	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

// ignoring returns the options of a source that ignores what the conditions say, which are written as in a workspaces file.
func ignoring(t testing.TB, conditions string) *segment.Options {
	t.Helper()
	c, err := workspace.Parse([]byte(`
workspaces:
  - id: acme
    sources:
      - id: web
        write_keys: [write-key-000000000000]
        ignore: ` + conditions))
	if err != nil {
		t.Fatal(err)
	}
	o := strict()
	o.Rules = segment.RulesOf(&c.Workspaces[0].Sources[0], o.MaxBytes)
	o.Deletes = segment.DeletesAllowed
	return o
}

func TestACallIsLeftOutUnderAConditionOfItsSource(t *testing.T) {
	track := func(properties string) string { return with(map[string]any{"properties": raw(properties)}) }
	for name, c := range map[string]struct{ conditions, text, want string }{
		"by type":                      {`[{types: [page]}]`, with(map[string]any{"type": "page"}), "ignore[0]"},
		"of another type":              {`[{types: [page]}]`, with(nil), ""},
		"by event":                     {`[{events: [Export]}]`, with(nil), "ignore[0]"},
		"by the begin of an event":     {`[{events: ["Application *"]}]`, with(map[string]any{"event": "Application Opened"}), "ignore[0]"},
		"by the end of an event":       {`[{events: ["* Opened"]}]`, with(map[string]any{"event": "Application Opened"}), "ignore[0]"},
		"by both ends":                 {`[{events: ["App* Op*ed"]}]`, with(map[string]any{"event": "Application Opened"}), "ignore[0]"},
		"both ends overlap":            {`[{events: ["ExportX*Export"]}]`, with(nil), ""},
		"by any event":                 {`[{events: ["*"]}]`, with(nil), "ignore[0]"},
		"a page has no event":          {`[{events: ["*"]}]`, with(map[string]any{"type": "page"}), ""},
		"of another event":             {`[{events: ["Export *"]}]`, with(nil), ""},
		"by the second condition":      {`[{types: [page]}, {types: [track], events: [Export]}]`, with(nil), "ignore[1]"},
		"only where all is met":        {`[{types: [track], events: [Export], path: properties.a, exists: true}]`, with(nil), ""},
		"equals text":                  {`[{path: properties.a, equals: x}]`, track(`{"a":"x"}`), "ignore[0]"},
		"equals escaped text":          {`[{path: properties.a, equals: x}]`, track(`{"a":"\u0078"}`), "ignore[0]"},
		"equals a number":              {`[{path: properties.a, equals: 7}]`, track(`{"a":7}`), "ignore[0]"},
		"a number as text":             {`[{path: properties.a, equals: 7}]`, track(`{"a":"7"}`), "ignore[0]"},
		"equals true":                  {`[{path: properties.a, equals: true}]`, track(`{"a":true}`), "ignore[0]"},
		"equals nothing":               {`[{path: properties.a, equals: ""}]`, track(`{"a":""}`), "ignore[0]"},
		"null does not equal nothing":  {`[{path: properties.a, equals: ""}]`, track(`{"a":null}`), ""},
		"an object equals nothing":     {`[{path: properties.a, equals: ""}]`, track(`{"a":{}}`), ""},
		"space counts":                 {`[{path: properties.a, equals: x}]`, track(`{"a":" x"}`), ""},
		"one of":                       {`[{path: properties.a, one_of: [x, 7]}]`, track(`{"a":7}`), "ignore[0]"},
		"none of":                      {`[{path: properties.a, one_of: [x, 7]}]`, track(`{"a":8}`), ""},
		"exists":                       {`[{path: context.traits.impersonator, exists: true}]`, with(map[string]any{"context": raw(`{"traits":{"impersonator":{}}}`)}), "ignore[0]"},
		"null does not exist":          {`[{path: context.traits.impersonator, exists: true}]`, with(map[string]any{"context": raw(`{"traits":{"impersonator":null}}`)}), ""},
		"absent":                       {`[{path: properties.module, absent: true}]`, track(`{}`), "ignore[0]"},
		"null is absent":               {`[{path: properties.module, absent: true}]`, track(`{"module":null}`), "ignore[0]"},
		"not absent":                   {`[{path: properties.module, absent: true}]`, with(nil), ""},
		"whatever else is wrong":       {`[{events: [Export]}]`, with(map[string]any{"timestamp": nil, "messageId": raw(`{}`), "userId": raw(`{}`)}), "ignore[0]"},
		"a member Sojourn never reads": {`[{path: channel, equals: server}]`, with(map[string]any{"channel": "server"}), "ignore[0]"},
		"a delete that is not named":   {`[{path: userId, exists: true}]`, with(map[string]any{"type": "delete"}), ""},
		"a delete that is named":       {`[{types: [delete]}]`, with(map[string]any{"type": "delete"}), "ignore[0]"},
	} {
		t.Run(name, func(t *testing.T) {
			// A name with an escape is read the long way.
			for _, text := range []string{c.text, `{"\u0078":0,` + c.text[1:]} {
				got := parse(t, text, ignoring(t, c.conditions))
				if got.FilteredBy != c.want {
					t.Errorf("left out by %q, want %q", got.FilteredBy, c.want)
				}
				if told := warnings(got); c.want != "" && told != "filtered "+c.want {
					t.Errorf("warnings %q", told)
				}
			}
		})
	}
}

func TestACallThatCannotBeReadIsRejectedWhateverIsIgnored(t *testing.T) {
	o := ignoring(t, `[{path: userId, exists: true}, {types: [track]}]`)
	for text, code := range map[string]string{
		`{"type":"track","type":"page"}`:                       "json_duplicate_key",
		`{"type":"erase","userId":"u"}`:                        "type_unsupported",
		`{"userId":"u"}`:                                       "type_required",
		with(map[string]any{"x": strings.Repeat("x", 40<<10)}): "call_too_large",
	} {
		if _, rejection := segment.Parse([]byte(text), o); rejection == nil || rejection.Code != code {
			t.Errorf("%.40s: %+v, want %s", text, rejection, code)
		}
	}
}

func TestIntegrationsThatSwitchSojournOffLeaveACallOut(t *testing.T) {
	for integrations, want := range map[string]bool{
		`{}`: false, `null`: false, `[]`: false, `"x"`: false, `{"All":true}`: false, `{"Mixpanel":false}`: false,
		`{"All":false}`:                       true,
		`{"Sojourn":false}`:                   true,
		`{"All":true,"Sojourn":false}`:        true,
		`{"All":false,"Sojourn":true}`:        false,
		`{"All":false,"Sojourn":{"a":1}}`:     false,
		`{"All":false,"Mixpanel":true}`:       true,
		`{"All":false,"Segment.io":true}`:     false,
		`{"Segment.io":false}`:                true,
		`{"Segment.io":false,"Sojourn":true}`: false,
		`{"All":"false"}`:                     false,
		`{"all":false}`:                       false,
		`{"All":null,"Sojourn":null}`:         false,
	} {
		text := with(map[string]any{"integrations": raw(integrations)})
		if got := parse(t, text, strict()); (got.FilteredBy == "integrations") != want {
			t.Errorf("%s: left out by %q", integrations, got.FilteredBy)
		}
		delivered := strict()
		delivered.Delivered = true
		if got := parse(t, text, delivered); got.FilteredBy != "" {
			t.Errorf("%s, delivered by Segment: left out by %q", integrations, got.FilteredBy)
		}
	}
}

func TestIntegrationsOfABatchCountForItsCalls(t *testing.T) {
	call := func(integrations string) string { return with(map[string]any{"integrations": raw(integrations)}) }
	for _, broken := range []string{"", `,"\ud800":1`} { // what has half a pair is read the long way
		b, refused := segment.Split([]byte(`{"integrations":{"All":false,"x":1},"batch":[` +
			strings.Join([]string{call(`{}`), call(`{"Sojourn":true}`), call(`{"All":true}`), call(`null`), `{"type":"track"` + broken + `}`}, ",") + `]}`))
		if refused != nil {
			t.Fatal(refused)
		}
		o := strict()
		o.Batch = b.Envelope
		var left []string
		for i := range b.Calls {
			parsed, _ := b.Parse(i, o)
			left = append(left, parsed.FilteredBy)
		}
		want := "integrations,,,integrations,integrations"
		if broken != "" {
			want = "integrations,,,integrations," // rejected
		}
		if got := strings.Join(left, ","); got != want {
			t.Errorf("left out by %q, want %q", got, want)
		}
	}
}
