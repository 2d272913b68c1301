package segment_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/internal/domain/call"

	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

// traitsOf returns the traits of an identify call as path=JSON, in the order in which they stand.
func traitsOf(p segment.Parsed) string {
	var all []string
	for _, t := range p.Call.Traits {
		text := t.Value.Text
		if t.Value.Kind == call.Null {
			text = "null"
		}
		all = append(all, t.Path+"="+text)
	}
	return strings.Join(all, " ")
}

func TestAnIdentifyCallsTraitsAreThoseOfItsContextWhereItsOwnNameNoField(t *testing.T) {
	for name, c := range map[string]struct{ traits, context, want string }{
		"context alone":                     {``, `{"email":"e","address":{"city":"Oslo"}}`, "email=e address.city=Oslo"},
		"traits null":                       {`null`, `{"email":"e"}`, "email=e"},
		"traits empty":                      {`{}`, `{"email":"e"}`, "email=e"},
		"traits alone":                      {`{"email":"e"}`, ``, "email=e"},
		"field by field":                    {`{"email":"own"}`, `{"email":"e","phone":"7"}`, "email=own phone=7"},
		"leaf by leaf":                      {`{"address":{"city":"Oslo"}}`, `{"address":{"city":"Rome","zip":"1","geo":{"x":1}}}`, "address.city=Oslo address.zip=1 address.geo.x=1"},
		"null is said":                      {`{"email":null}`, `{"email":"e"}`, "email=null"},
		"empty text is said":                {`{"email":""}`, `{"email":"e"}`, "email="},
		"another spelling":                  {`{"firstName":"Ada"}`, `{"first_name":"Eva","First Name":"Eve","FIRSTNAME":null}`, "firstName=Ada"},
		"another spelling of an object":     {`{"Address":{"Postal Code":"1"}}`, `{"address":{"postalCode":"2","city":"Oslo"}}`, "Address.Postal Code=1 address.city=Oslo"},
		"null in the place of an object":    {`{"address":null}`, `{"address":{"city":"Rome"}}`, "address=null"},
		"text in the place of an object":    {`{"address":"here"}`, `{"Address":{"geo":{"x":1}},"city":"Rome"}`, "address=here city=Rome"},
		"an object in the place of text":    {`{"address":{"city":"Oslo"}}`, `{"address":"there","a":1}`, "address.city=Oslo a=1"},
		"an object in the place of null":    {`{"address":{"city":"Oslo"}}`, `{"address":null}`, "address.city=Oslo"},
		"a list in the place of an object":  {`{"a":[1]}`, `{"a":{"b":2}}`, "a=[1]"},
		"an empty object names no field":    {`{"address":{}}`, `{"address":{"city":"Rome"}}`, "address={} address.city=Rome"},
		"a key with a dot is no step":       {`{"a.b":1}`, `{"a":{"b":2}}`, `a\.b=1 a.b=2`},
		"a beginning is no object":          {`{"add":1}`, `{"address":{"city":"Rome"}}`, "add=1 address.city=Rome"},
		"two spellings that are not named":  {`{}`, `{"first_name":"Eva","firstName":"Eve"}`, "first_name=Eva firstName=Eve"},
		"context.traits null":               {`{"a":1}`, `null`, "a=1"},
		"context.traits is no object":       {`{"a":1}`, `[{"b":2}]`, "a=1"},
		"context.traits is text":            {``, `"x"`, ""},
		"escaped names":                     {`{"firstN\u0061me":"Ada"}`, `{"first\u005fname":"Eva","\u0065mail":"e"}`, "firstName=Ada email=e"},
		"exact numbers, and JSON as it is":  {``, `{"n":1.50,"l":[1, {"k" : 2}]}`, `n=1.50 l=[1,{"k":2}]`},
		"NaN in the traits is said as null": {`{"a":NaN}`, `{"a":1,"b":NaN}`, "a=null b=null"},
	} {
		t.Run(name, func(t *testing.T) {
			text := `{"type":"identify","messageId":"m","timestamp":"2026-11-01T11:00:00Z","anonymousId":"a","userId":"u"`
			if c.traits != "" {
				text += `,"traits":` + c.traits
			}
			inCall, o := text+"}", strict()
			if c.context != "" {
				inCall = text + `,"context":{"ip":"::1","traits":` + c.context + "}}"
				nulled, _ := segment.Nulled([]byte(c.context))
				o.Batch.Context = []byte(`{"traits":` + string(nulled) + `,"x":1}`)
			}
			if got := traitsOf(both(t, inCall, strict())); got != c.want {
				t.Errorf("traits %s, want %s", got, c.want)
			}
			// What the batch says counts for a call that says nothing of it.
			for _, inBatch := range []string{text + "}", text + `,"context":{"ip":"::1"}}`, text + `,"context":null}`} {
				if got := traitsOf(both(t, inBatch, o)); got != c.want {
					t.Errorf("of the batch: traits %s, want %s", got, c.want)
				}
			}
			if c.context != "" {
				own := `{"batch":[` + text + `},` + text + `,"context":{"traits":{"own":1}}}],"context":{"traits":` + c.context + `}}`
				b := split(t, own)
				batched := *strict()
				batched.Batch = b.Envelope
				for i, want := range []string{c.want, "own=1"} {
					got, rejection := b.Parse(i, &batched)
					if rejection != nil || i == 0 && traitsOf(got) != want || i == 1 && !strings.Contains(traitsOf(got), want) {
						t.Errorf("call %d of the batch: traits %s, rejected as %v, want %s", i, traitsOf(got), rejection, want)
					}
				}
			}
		})
	}
}

func TestOnlyIdentifyCallsHaveTheTraitsOfTheirContext(t *testing.T) {
	for _, typeName := range []string{"track", "group", "page", "screen", "alias"} {
		changes := map[string]any{"type": typeName, "groupId": "g", "previousId": "p", "context": raw(`{"traits":{"name":"Ada"}}`)}
		if got := traitsOf(both(t, with(changes), strict())); got != "" {
			t.Errorf("%s has traits %s", typeName, got)
		}
	}
}

func TestTraitsOfTheContextAreLimitedAsThoseOfTheCall(t *testing.T) {
	o := strict()
	_, rejection := segment.Parse([]byte(with(map[string]any{"type": "identify", "context": map[string]any{"traits": exploding()}})), o)
	if rejection == nil || rejection.Code != "traits_too_large" {
		t.Errorf("rejected as %+v", rejection)
	}
}

func TestTheTraitsOfABatchsContextDoNotMakeASmallRequestAHugeOne(t *testing.T) {
	const calls = 4000
	call := strings.TrimSuffix(strings.Repeat(`{"type":"identify","userId":"u","anonymousId":"a","timestamp":1793530800},`, calls), ",")
	for name, leaves := range map[string]int{"many traits": 5000, "some": 100} {
		var traits []string
		for i := range leaves {
			traits = append(traits, fmt.Sprintf(`"%d":0`, i))
		}
		b := split(t, `{"context":{"traits":{`+strings.Join(traits, ",")+`}},"batch":[`+call+`]}`)
		o := *strict()
		o.Batch = b.Envelope
		taken, last := 0, ""
		for i := range b.Calls {
			got, rejection := b.Parse(i, &o)
			if rejection == nil {
				taken += 50 * len(got.Call.Traits)
				continue
			}
			if last = rejection.Code; last != "traits_too_large" || rejection.Field != "context.traits" {
				t.Fatalf("rejected as %+v", rejection.Problem)
			}
		}
		if taken == 0 || taken > segment.MaxShared || last == "" {
			t.Errorf("%s: the calls take %d bytes, the last was rejected as %q", name, taken, last)
		}
	}
	few := split(t, `{"context":{"traits":{"email":"e"}},"batch":[`+call+`]}`)
	o := *strict()
	o.Batch = few.Envelope
	for i := range few.Calls {
		if got, rejection := few.Parse(i, &o); rejection != nil || cmp.Diff("email=e", traitsOf(got)) != "" {
			t.Fatalf("call %d: %v, %+v", i, rejection, got)
		}
	}
}
