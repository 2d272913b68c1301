package storetest

import (
	"fmt"

	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
)

const epoch = int64(1_700_000_000_000)

// genCalls draws calls that often meet: few ids, few times, few traits. One identity always has one content.
func genCalls(t *rapid.T) []call.Call {
	calls := rapid.SliceOfN(rapid.Custom(genCall), 1, 25).Draw(t, "calls")
	for i := range calls {
		n := (i * 7919) % 10_007
		calls[i].MessageID = fmt.Sprintf("m%d", n)
		if i%3 == 0 {
			calls[i].MessageID = fmt.Sprintf("%08x-0000-4000-8000-000000000000", n)
		}
	}
	return calls
}

func genCall(t *rapid.T) call.Call {
	c := call.Call{
		Type:        rapid.SampledFrom([]call.Type{call.Identify, call.Identify, call.Group, call.Group, call.Track, call.Page, call.Alias}).Draw(t, "type"),
		OriginalMS:  epoch + rapid.Int64Range(0, 3).Draw(t, "time"),
		AnonymousID: rapid.SampledFrom([]string{"s1", "s2", ""}).Draw(t, "session"),
		UserID:      rapid.SampledFrom([]string{"u1", "u2", "u3", ""}).Draw(t, "user"),
		AccountID:   rapid.SampledFrom([]string{"", "", "a1", "a2"}).Draw(t, "account"),
		Source:      rapid.SampledFrom([]string{"web", "app"}).Draw(t, "source"),
	}
	c.TimeMS = c.OriginalMS + rapid.SampledFrom([]int64{0, 0, 0, -2, 700_000}).Draw(t, "correction")
	switch c.Type {
	case call.Group:
		c.AccountID = rapid.SampledFrom([]string{"a1", "a2"}).Draw(t, "group")
		c.Traits = genTraits("name", "createdAt", "created_at", "tier", "address.city", "address").Draw(t, "traits")
	case call.Identify:
		c.Traits = genTraits("first_name", "firstName", "email", "Total Billed").Draw(t, "traits")
	case call.Alias:
		c.UserID, c.PreviousID = "u1", rapid.SampledFrom([]string{"u2", "u3", "u4"}).Draw(t, "previous")
	default:
		c.Feature = "f"
	}
	return c
}

func genTraits(paths ...string) *rapid.Generator[[]call.Trait] {
	return rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) call.Trait {
		return call.Trait{
			Path: rapid.SampledFrom(paths).Draw(t, "path"),
			Value: rapid.SampledFrom([]call.Value{
				{Kind: call.Null}, {Kind: call.String, Text: "x"}, {Kind: call.String, Text: "2024-01-31"}, {Kind: call.Number, Text: "1.10"},
				{Kind: call.Bool, Text: "true"}, {Kind: call.JSON, Text: "[1]"},
			}).Draw(t, "value"),
		}
	}), 0, 4, func(t call.Trait) string { return t.Path })
}

// genRejections draws different rejections.
func genRejections(t *rapid.T) []directory.Rejection {
	rejections := make([]directory.Rejection, rapid.IntRange(0, 5).Draw(t, "rejections"))
	for i := range rejections {
		rejections[i] = directory.Rejection{
			Source: rapid.SampledFrom([]string{"web", "app"}).Draw(t, "source"),
			Type:   rapid.SampledFrom([]string{"track", "page"}).Draw(t, "type"),
			Code:   rapid.SampledFrom([]string{"event_required", "json_invalid"}).Draw(t, "code"),
		}
		rejections[i].Fingerprint[15] = byte(i)
	}
	return rejections
}
