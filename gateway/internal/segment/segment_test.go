package segment_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/workspace"

	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

// received is when the calls of these tests arrive.
var received = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// strict returns the options of a source that says nothing of its own, for calls that say their type.
func strict() *segment.Options {
	return &segment.Options{
		Rules: segment.Rules{
			Source: "web", RequireAnonymousID: true, RequireUserID: true, MaxClockSkew: workspace.DefaultMaxClockSkew,
			AbsentIDs: workspace.DefaultAbsentIDs(), MaxBytes: 32 << 10, Deletes: segment.DeletesAllowed,
		},
		Received: received,
	}
}

// with returns the JSON of a track call with some members changed; nil removes one, and JSON text is put in as it is.
func with(changes map[string]any) string {
	members := map[string]any{
		"type": "track", "messageId": "m1", "anonymousId": "anon", "userId": "user", "event": "Export",
		"timestamp": "2026-11-01T11:59:00.000Z", "properties": map[string]any{"module": "Reports"},
	}
	for name, value := range changes {
		if members[name] = value; value == nil {
			delete(members, name)
		}
	}
	text, err := json.Marshal(members)
	if err != nil {
		panic(err)
	}
	return string(text)
}

type raw = json.RawMessage

func ms(t *testing.T, text string) int64 {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixMilli()
}

func parse(t *testing.T, text string, o *segment.Options) segment.Parsed {
	t.Helper()
	parsed, rejection := segment.Parse([]byte(text), o)
	if rejection != nil {
		t.Fatalf("rejected as %s: %s", rejection.Code, rejection.Message)
	}
	return parsed
}

func warnings(p segment.Parsed) string {
	var list []string
	for _, w := range p.Warnings {
		list = append(list, w.Code+" "+w.Field)
	}
	return strings.Join(list, ", ")
}

func TestEveryRejectionHasItsCodeAndSaysWhatToFix(t *testing.T) {
	long := strings.Repeat("x", 513)
	identify := func(changes map[string]any) string {
		changes["type"], changes["event"], changes["properties"] = "identify", nil, nil
		return with(changes)
	}
	for name, c := range map[string]struct{ text, code, field string }{
		"no type":                {with(map[string]any{"type": nil}), "type_required", "type"},
		"empty type":             {with(map[string]any{"type": ""}), "type_required", "type"},
		"null type":              {with(map[string]any{"type": raw("null")}), "type_required", "type"},
		"type is a number":       {with(map[string]any{"type": 3}), "type_invalid", "type"},
		"unknown type":           {with(map[string]any{"type": "Track"}), "type_unsupported", "type"},
		"an unknown type":        {with(map[string]any{"type": "erase"}), "type_unsupported", "type"},
		"delete without userId":  {with(map[string]any{"type": "delete", "userId": nil}), "user_id_required", "userId"},
		"no timestamp":           {with(map[string]any{"timestamp": nil}), "timestamp_required", "timestamp"},
		"empty timestamp":        {with(map[string]any{"timestamp": " "}), "timestamp_required", "timestamp"},
		"timestamp is no time":   {with(map[string]any{"timestamp": "soon"}), "timestamp_invalid", "timestamp"},
		"timestamp is an object": {with(map[string]any{"timestamp": raw("{}")}), "timestamp_invalid", "timestamp"},
		"timestamp before 1970":  {with(map[string]any{"timestamp": "1969-12-31T23:59:59.999Z"}), "timestamp_invalid", "timestamp"},
		"original is no time":    {with(map[string]any{"originalTimestamp": "x", "timestamp": nil}), "original_timestamp_invalid", "originalTimestamp"},
		"neither is a time":      {with(map[string]any{"originalTimestamp": "x", "timestamp": "y"}), "original_timestamp_invalid", "originalTimestamp"},
		"original is no time, no other": {
			with(map[string]any{"originalTimestamp": 0, "timestamp": " "}), "original_timestamp_invalid", "originalTimestamp",
		},
		"timestamp 0":                 {with(map[string]any{"timestamp": 0}), "timestamp_invalid", "timestamp"},
		"timestamp is a year":         {with(map[string]any{"timestamp": 2026}), "timestamp_invalid", "timestamp"},
		"timestamp is a year as text": {with(map[string]any{"timestamp": "2026"}), "timestamp_invalid", "timestamp"},
		"timestamp of a spreadsheet":  {with(map[string]any{"timestamp": raw("46327.5")}), "timestamp_invalid", "timestamp"},
		"timestamp 0 beside a good one": {
			with(map[string]any{"timestamp": 0, "originalTimestamp": "2026-11-01T11:59:00Z"}), "timestamp_invalid", "timestamp",
		},
		"timestamp NaN":                {strings.Replace(with(nil), `"2026-11-01T11:59:00.000Z"`, "NaN", 1), "timestamp_required", "timestamp"},
		"userId Infinity":              {strings.Replace(with(nil), `"user"`, "Infinity", 1), "user_id_required", "userId"},
		"no userId":                    {with(map[string]any{"userId": nil}), "user_id_required", "userId"},
		"null userId":                  {with(map[string]any{"userId": raw("null")}), "user_id_required", "userId"},
		"placeholder userId":           {with(map[string]any{"userId": "undefined"}), "user_id_required", "userId"},
		"key in other case is not it":  {with(map[string]any{"userId": nil, "USERID": "user"}), "user_id_required", "userId"},
		"userId is a fraction":         {with(map[string]any{"userId": 1.5}), "user_id_invalid", "userId"},
		"userId has an exponent":       {with(map[string]any{"userId": raw("1e3")}), "user_id_invalid", "userId"},
		"userId is a boolean":          {with(map[string]any{"userId": true}), "user_id_invalid", "userId"},
		"userId is an object":          {with(map[string]any{"userId": raw(`{"id":1}`)}), "user_id_invalid", "userId"},
		"userId is too long":           {with(map[string]any{"userId": long}), "user_id_invalid", "userId"},
		"no anonymousId":               {with(map[string]any{"anonymousId": nil}), "anonymous_id_required", "anonymousId"},
		"anonymousId is an array":      {with(map[string]any{"anonymousId": raw("[]")}), "anonymous_id_invalid", "anonymousId"},
		"messageId is too long":        {with(map[string]any{"messageId": long[:257]}), "message_id_invalid", "messageId"},
		"messageId is an object":       {with(map[string]any{"messageId": raw("{}")}), "message_id_invalid", "messageId"},
		"groupId is an object":         {with(map[string]any{"groupId": raw("{}")}), "group_id_invalid", "groupId"},
		"context.groupId is a boolean": {with(map[string]any{"context": raw(`{"groupId":true}`)}), "group_id_invalid", "context.groupId"},
		"no event":                     {with(map[string]any{"event": nil}), "event_required", "event"},
		"empty event":                  {with(map[string]any{"event": " "}), "event_required", "event"},
		"event is a number":            {with(map[string]any{"event": 7}), "event_invalid", "event"},
		"event is too long":            {with(map[string]any{"event": long}), "event_invalid", "event"},
		"properties is a string":       {with(map[string]any{"properties": "x"}), "properties_not_object", "properties"},
		"traits is an array":           {identify(map[string]any{"traits": raw("[]")}), "traits_not_object", "traits"},
		"group without groupId":        {with(map[string]any{"type": "group"}), "group_id_required", "groupId"},
		"alias without previousId":     {with(map[string]any{"type": "alias"}), "previous_id_required", "previousId"},
		"alias without userId": {
			with(map[string]any{"type": "alias", "userId": nil, "previousId": "p"}),
			"user_id_required", "userId",
		},
		"previousId is a boolean":       {with(map[string]any{"type": "alias", "previousId": true}), "previous_id_invalid", "previousId"},
		"empty":                         {``, "json_invalid", ""},
		"NaN in the place of a key":     {`{"type":"track",NaN:1}`, "json_invalid", ""},
		"NaN in the place of a member":  {`{"type":"track",NaN}`, "json_invalid", ""},
		"NaN and more":                  {`{"type":NaN1}`, "json_invalid", ""},
		"NaN in small letters":          {`{"type":nan}`, "json_invalid", ""},
		"Infinity with a plus":          {`{"type":+Infinity}`, "json_invalid", ""},
		"NaN, and cut off":              {`{"type":NaN`, "json_invalid", ""},
		"NaN alone":                     {` NaN `, "call_not_object", ""},
		"cut off":                       {`{"type":"track"`, "json_invalid", ""},
		"two values":                    {with(nil) + `{}`, "json_invalid", ""},
		"control character in a string": {"{\"type\":\"tr\nack\"}", "json_invalid", ""},
		"an array":                      {`[` + with(nil) + `]`, "call_not_object", ""},
		"a string":                      {`"track"`, "call_not_object", ""},
		"a key twice":                   {`{"userId":"a","userId":"b"}`, "json_duplicate_key", "userId"},
		"a key of the customer's twice": {`{"plan":1,"plan":2}`, "json_duplicate_key", ""},
		"a known key twice deep down":   {with(map[string]any{"x": raw(`{"userId":1,"userId":2}`)}), "json_duplicate_key", ""},
		"a key twice deep down":         {with(map[string]any{"x": raw(`[{"a":1,"a":2}]`)}), "json_duplicate_key", ""},
		"a key twice, once escaped":     {`{"userId":"a","user\u0049d":"b"}`, "json_duplicate_key", "userId"},
		"invalid UTF-8":                 {strings.Replace(with(nil), "anon", "an\xffon", 1), "json_invalid_utf8", ""},
		"invalid UTF-8 in a key":        {strings.Replace(with(nil), "module", "mo\xc0\x80le", 1), "json_invalid_utf8", ""},
		"lone surrogate":                {strings.Replace(with(nil), "anon", `an\ud800on`, 1), "json_invalid_utf8", ""},
		"too deep":                      {with(map[string]any{"x": raw(nested(64))}), "json_too_deep", ""},
		"far too deep":                  {with(map[string]any{"x": raw(nested(9000))}), "json_too_deep", ""},
		"too large":                     {with(map[string]any{"x": strings.Repeat("x", 33<<10)}), "call_too_large", ""},
		"traits that would explode":     {identify(map[string]any{"traits": exploding()}), "traits_too_large", "traits"},
	} {
		t.Run(name, func(t *testing.T) {
			_, rejection := segment.Parse([]byte(c.text), strict())
			if rejection == nil {
				t.Fatal("not rejected")
			}
			if rejection.Code != c.code || rejection.Field != c.field {
				t.Errorf("rejected as %q of %q, want %q of %q", rejection.Code, rejection.Field, c.code, c.field)
			}
			if m := rejection.Message; !strings.Contains(m, c.field) || m == "" || strings.HasSuffix(m, ".") {
				t.Errorf("message %q does not name field %q", m, c.field)
			}
		})
	}
}

// exploding returns traits that are small as JSON and huge as leaves, each with its whole path.
func exploding() raw {
	var leaves []string
	for i := range 1000 {
		leaves = append(leaves, fmt.Sprintf(`"%d":0`, i))
	}
	return raw(`{"` + strings.Repeat("k", 10<<10) + `":{` + strings.Join(leaves, ",") + `}}`)
}

func TestARejectionNamesTheSwitchThatWouldAllowTheCall(t *testing.T) {
	for member, name := range map[string]string{"userId": "require_user_id", "anonymousId": "require_anonymous_id"} {
		_, rejection := segment.Parse([]byte(with(map[string]any{member: nil})), strict())
		if rejection == nil || !strings.Contains(rejection.Message, name) {
			t.Errorf("without %s: %+v, want a message that names %s", member, rejection, name)
		}
	}
}

func TestARejectionTellsWhichCallItWasAndNothingElseOfIt(t *testing.T) {
	for name, text := range map[string]string{
		"invalid":       with(map[string]any{"event": 7, "userId": "secret-user"}),
		"key twice":     `{"messageId":"m1","type":"track","secret-key":1,"secret-key":2}`,
		"too large":     with(map[string]any{"secret-key": strings.Repeat("secret", 8<<10)}),
		"not supported": with(map[string]any{"type": "track", "timestamp": "secret"}),
	} {
		_, rejection := segment.Parse([]byte(text), strict())
		if rejection == nil {
			t.Errorf("%s: not rejected", name)
			continue
		}
		if rejection.MessageID != "m1" || rejection.Type != "track" {
			t.Errorf("%s: named as %q of type %q", name, rejection.MessageID, rejection.Type)
		}
		if strings.Contains(rejection.Message, "secret") {
			t.Errorf("%s: message %q quotes the call", name, rejection.Message)
		}
	}
}

func TestACallWithoutTheContractsIDsIsTakenWithAWarning(t *testing.T) {
	o := strict()
	o.RequireUserID, o.RequireAnonymousID = false, false
	for _, typeName := range []string{"track", "identify", "group", "page", "screen"} {
		for without, want := range map[string]string{
			"": "", "userId": "user_id_absent userId", "anonymousId": "anonymous_id_absent anonymousId",
			"userId anonymousId": "user_id_absent userId, anonymous_id_absent anonymousId",
		} {
			for _, absent := range []any{nil, raw("null")} {
				changes := map[string]any{"type": typeName, "groupId": "acme"}
				for _, member := range strings.Fields(without) {
					changes[member] = absent
				}
				got := parse(t, with(changes), o)
				if (got.Call.UserID == "") != strings.Contains(without, "userId") || warnings(got) != want {
					t.Errorf("%s without %s: %+v", typeName, without, got)
				}
			}
		}
	}
	placeholder := parse(t, with(map[string]any{"userId": "undefined"}), o)
	if warnings(placeholder) != "user_id_absent userId" {
		t.Errorf("a placeholder is warned of once: %s", warnings(placeholder))
	}
	nobodys := parse(t, with(map[string]any{"type": "identify", "userId": nil}), o)
	if !strings.Contains(nobodys.Warnings[0].Message, "traits") {
		t.Errorf("nobody is told that traits are not kept: %+v", nobodys.Warnings)
	}
	for text, code := range map[string]string{
		with(map[string]any{"type": "group"}):                                     "group_id_required",
		with(map[string]any{"type": "alias", "userId": nil, "previousId": "old"}): "user_id_required",
	} {
		if _, rejection := segment.Parse([]byte(text), o); rejection == nil || rejection.Code != code {
			t.Errorf("%s is required whatever the switches say, got %+v", code, rejection)
		}
	}
}

func TestAnAliasNeedsNoAnonymousID(t *testing.T) {
	got := parse(t, with(map[string]any{"type": "alias", "anonymousId": nil, "previousId": "old", "event": nil}), strict())
	if got.Call.PreviousID != "old" || got.Call.UserID != "user" || got.Call.Feature != "" {
		t.Errorf("got %+v", got.Call)
	}
}

func TestIDsAreTakenAsTheySayAndPlaceholdersAreAbsent(t *testing.T) {
	for name, c := range map[string]struct {
		value         any
		want, warning string
	}{
		"text":               {"U-1", "U-1", ""},
		"case is kept":       {"ÅSA", "ÅSA", ""},
		"space is trimmed":   {" \tu\u00a0", "u", ""},
		"integer":            {raw("12345"), "12345", ""},
		"long integer":       {raw("123456789012345678901234567890"), "123456789012345678901234567890", ""},
		"negative integer":   {raw("-7"), "-7", ""},
		"negative zero":      {raw("-0"), "0", ""},
		"zero":               {raw("0"), "0", ""},
		"null":               {raw("null"), "", "user_id_absent userId"},
		"empty":              {"", "", "user_id_absent userId"},
		"only space":         {"  ", "", "user_id_absent userId"},
		"null as text":       {"null", "", "user_id_absent userId"},
		"undefined":          {"undefined", "", "user_id_absent userId"},
		"None":               {" None ", "", "user_id_absent userId"},
		"NaN":                {"NaN", "", "user_id_absent userId"},
		"object Object":      {"[object Object]", "", "user_id_absent userId"},
		"zero UUID":          {"00000000-0000-0000-0000-000000000000", "", "user_id_absent userId"},
		"null of Apple's":    {"(null)", "", "user_id_absent userId"},
		"nil of Go":          {" <nil> ", "", "user_id_absent userId"},
		"null in brackets":   {"<null>", "", "user_id_absent userId"},
		"object Promise":     {"[object Promise]", "", "user_id_absent userId"},
		"braces not filled":  {"{{ user.id }}", "", "user_id_absent userId"},
		"dollar not filled":  {"${userId}", "", "user_id_absent userId"},
		"a list":             {"[ada]", "[ada]", ""},
		"one brace":          {"{ada}", "{ada}", ""},
		"not quite an entry": {"none", "none", ""},
		"longest":            {strings.Repeat("x", 512), strings.Repeat("x", 512), ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := strict()
			o.RequireUserID = false
			got := parse(t, with(map[string]any{"userId": c.value}), o)
			if got.Call.UserID != c.want || warnings(got) != c.warning {
				t.Errorf("userId %q with warnings %q, want %q with %q", got.Call.UserID, warnings(got), c.want, c.warning)
			}
		})
	}
}

func TestTheSourceSaysWhichIDsAreAbsent(t *testing.T) {
	o := strict()
	o.RequireUserID, o.AbsentIDs = false, []string{"guest"}
	if got := parse(t, with(map[string]any{"userId": "guest"}), o); got.Call.UserID != "" {
		t.Errorf("guest is user %q", got.Call.UserID)
	}
	if got := parse(t, with(map[string]any{"userId": "None"}), o); got.Call.UserID != "None" {
		t.Errorf("None is user %q although the list does not hold it", got.Call.UserID)
	}
}

func TestTheAccountIsTheFirstThatIsNamed(t *testing.T) {
	o := strict()
	o.Batch.Context = []byte(`{"groupId":"of batch"}`)
	for name, c := range map[string]struct {
		changes map[string]any
		o       *segment.Options
		want    string
	}{
		"none":                         {nil, strict(), ""},
		"groupId":                      {map[string]any{"groupId": "g", "context": raw(`{"groupId":"c"}`)}, strict(), "g"},
		"context":                      {map[string]any{"context": raw(`{"groupId":4}`)}, strict(), "4"},
		"context for a placeholder":    {map[string]any{"groupId": "null", "context": raw(`{"groupId":"c"}`)}, strict(), "c"},
		"context is null":              {map[string]any{"context": raw("null")}, strict(), ""},
		"context is an array":          {map[string]any{"context": raw("[]"), "integrations": raw("[]")}, strict(), ""},
		"batch":                        {nil, o, "of batch"},
		"own context before the batch": {map[string]any{"context": raw(`{"groupId":"c"}`)}, o, "c"},
		"own context of other members": {map[string]any{"context": raw(`{"ip":"::1"}`)}, o, "of batch"},
		"own context without account":  {map[string]any{"context": raw(`{"groupId":null}`)}, o, ""},
		"own context is null":          {map[string]any{"context": raw(`null`)}, o, "of batch"},
		"group_id is not in the list":  {map[string]any{"context": raw(`{"group_id":"c"}`)}, strict(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := parse(t, with(c.changes), c.o).Call.AccountID; got != c.want {
				t.Errorf("account %q, want %q", got, c.want)
			}
		})
	}
}

func TestTheModuleIsTakenFromItsPlacesInOrder(t *testing.T) {
	for name, c := range map[string]struct {
		changes       map[string]any
		want, warning string
	}{
		"track":           {nil, "Reports", ""},
		"space around it": {map[string]any{"properties": raw(`{"module":" \tA  b\u00a0\n"}`)}, "A  b", ""},
		"only space":      {map[string]any{"type": "page", "properties": raw(`{"module":" \u2003"}`), "category": " ", "name": " N "}, "N", ""},
		"too long with space": {
			map[string]any{"properties": map[string]any{"module": "  " + strings.Repeat("x", 512) + " "}},
			strings.Repeat("x", 512), "",
		},
		"track has no category": {map[string]any{"properties": nil, "category": "C", "name": "N"}, "", ""},
		"properties null":       {map[string]any{"properties": raw("null")}, "", ""},
		"number":                {map[string]any{"properties": raw(`{"module":1.50}`)}, "1.50", ""},
		"null":                  {map[string]any{"properties": raw(`{"module":null}`)}, "", ""},
		"empty":                 {map[string]any{"properties": raw(`{"module":""}`)}, "", ""},
		"object":                {map[string]any{"properties": raw(`{"module":{}}`)}, "", "module_invalid properties.module"},
		"too long": {
			map[string]any{"properties": map[string]any{"module": strings.Repeat("x", 513)}},
			"", "module_invalid properties.module",
		},
		"page: properties": {map[string]any{"type": "page", "category": "C", "name": "N"}, "Reports", ""},
		"page: category":   {map[string]any{"type": "page", "properties": nil, "category": "C", "name": "N"}, "C", ""},
		"page: name":       {map[string]any{"type": "page", "properties": nil, "category": raw("null"), "name": "N"}, "N", ""},
		"page: nothing":    {map[string]any{"type": "page", "properties": nil}, "", ""},
		"screen: name for a bad one": {
			map[string]any{"type": "screen", "properties": nil, "category": true, "name": "N"},
			"N", "module_invalid category",
		},
		"identify has none":             {map[string]any{"type": "identify"}, "", ""},
		"page: not properties.category": {map[string]any{"type": "page", "properties": raw(`{"category":"C"}`)}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := parse(t, with(c.changes), strict())
			if got.Call.Module != c.want || warnings(got) != c.warning {
				t.Errorf("module %q with warnings %q, want %q with %q", got.Call.Module, warnings(got), c.want, c.warning)
			}
		})
	}
}

func TestSpaceAroundTheNameOfAnEventIsNoPartOfIt(t *testing.T) {
	want := parse(t, with(nil), strict()).Call
	for _, event := range []string{" Export", "Export ", "\tExport\u00a0\n"} {
		got := parse(t, with(map[string]any{"event": event, "properties": raw(`{"module":" Reports "}`)}), strict()).Call
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", event, diff)
		}
	}
	long := parse(t, with(map[string]any{"event": " " + strings.Repeat("x", 512) + " "}), strict())
	if long.Call.Feature != strings.Repeat("x", 512) {
		t.Errorf("feature of %d bytes", len(long.Call.Feature))
	}
}

func TestOnlyATrackCallIsTheUseOfAFeature(t *testing.T) {
	for _, typeName := range []string{"identify", "page", "screen", "group"} {
		got := parse(t, with(map[string]any{"type": typeName, "groupId": "g", "name": "Home"}), strict())
		if got.Call.Feature != "" {
			t.Errorf("%s is a use of %q", typeName, got.Call.Feature)
		}
	}
}

func TestTraitsAreFlattenedToLeavesWithTheirExactText(t *testing.T) {
	got := parse(t, with(map[string]any{"type": "group", "groupId": "g", "traits": raw(
		`{"name":"Acme \u0026 Co","total billed":830,"big":12345678901234567890.10,"gone":null,"on":true,"off":false,` +
			`"a.b\\c":{"d":{"e":"x"}},"list":[1, {"k": "v"}],"empty":{ },"":"no name"}`)}), strict())
	want := []call.Trait{
		{Path: "name", Value: call.Value{Kind: call.String, Text: "Acme & Co"}},
		{Path: "total billed", Value: call.Value{Kind: call.Number, Text: "830"}},
		{Path: "big", Value: call.Value{Kind: call.Number, Text: "12345678901234567890.10"}},
		{Path: "gone", Value: call.Value{Kind: call.Null}},
		{Path: "on", Value: call.Value{Kind: call.Bool, Text: "true"}},
		{Path: "off", Value: call.Value{Kind: call.Bool, Text: "false"}},
		{Path: `a\.b\\c.d.e`, Value: call.Value{Kind: call.String, Text: "x"}},
		{Path: "list", Value: call.Value{Kind: call.JSON, Text: `[1,{"k":"v"}]`}},
		{Path: "empty", Value: call.Value{Kind: call.JSON, Text: "{}"}},
		{Path: "", Value: call.Value{Kind: call.String, Text: "no name"}},
	}
	if diff := cmp.Diff(want, got.Call.Traits); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyIdentifyAndGroupCarryTraits(t *testing.T) {
	traits := raw(`{"email":"a@example.com"}`)
	for typeName, want := range map[string]int{"identify": 1, "group": 1, "track": 0, "page": 0} {
		got := parse(t, with(map[string]any{"type": typeName, "groupId": "g", "traits": traits}), strict())
		if len(got.Call.Traits) != want {
			t.Errorf("%s carries %d traits, want %d", typeName, len(got.Call.Traits), want)
		}
	}
}

func TestThePathDecidesTheType(t *testing.T) {
	o := strict()
	o.Type = call.Page
	got := parse(t, with(map[string]any{"type": nil}), o)
	if got.Call.Type != call.Page || len(got.Warnings) != 0 {
		t.Errorf("without a type: %v, %q", got.Call.Type, warnings(got))
	}
	if got := parse(t, with(nil), o); got.Call.Type != call.Page || warnings(got) != "type_mismatch type" {
		t.Errorf("with another type: %v, %q", got.Call.Type, warnings(got))
	}
}
