package storetest

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

const epoch = int64(1_793_534_400_000)

func workspaceName(n int, which string) string { return fmt.Sprintf("%d-%s", n, which) }

// history is a set of calls, rejections and filtered calls, and some copies of them.
type history struct {
	calls      []call.Call
	rejections []directory.Rejection
	filtered   []directory.Filtered
	copies     []delivery
}

// delivery is one thing that arrives: a call, a rejection or a filtered call.
type delivery struct {
	call      *call.Call
	rejection *directory.Rejection
	filtered  *directory.Filtered
}

func (h history) distinct() (all []delivery) {
	for i := range h.calls {
		all = append(all, delivery{call: &h.calls[i]})
	}
	for i := range h.rejections {
		all = append(all, delivery{rejection: &h.rejections[i]})
	}
	for i := range h.filtered {
		all = append(all, delivery{filtered: &h.filtered[i]})
	}
	return all
}

func (h history) deliveries() []delivery { return append(h.distinct(), h.copies...) }

func toBatch(deliveries []delivery) (b directory.Batch) {
	for _, d := range deliveries {
		switch {
		case d.call != nil:
			b.Calls = append(b.Calls, *d.call)
		case d.rejection != nil:
			b.Rejections = append(b.Rejections, *d.rejection)
		default:
			b.Filtered = append(b.Filtered, *d.filtered)
		}
	}
	return b
}

// genHistory draws histories in which one identity always has one content, and much happens at equal times.
func genHistory(t *rapid.T) history {
	fingerprint := func(r directory.Rejection) [16]byte { return r.Fingerprint }
	h := history{
		calls:      rapid.SliceOfN(genCall(), 1, 20).Draw(t, "calls"),
		rejections: rapid.SliceOfNDistinct(genRejection(), 0, 4, fingerprint).Draw(t, "rejections"),
		filtered:   rapid.SliceOfN(genFiltered(), 0, 3).Draw(t, "filtered"),
	}
	for i := range h.calls {
		// MessageIds do not sort like the calls, and some are UUIDs.
		n := (i * 7919) % 10_007
		h.calls[i].MessageID = fmt.Sprintf("m%d", n)
		if i%3 == 0 {
			h.calls[i].MessageID = fmt.Sprintf("%08x-0000-4000-8000-000000000000", n)
		}
	}
	h.copies = rapid.SliceOfN(rapid.SampledFrom(h.distinct()), 0, 10).Draw(t, "copies")
	return h
}

// life is a workspace to which a history happens, in some order, under settings that change meanwhile.
type life struct {
	history

	workspace    string
	settings     profile.Settings
	come, coming []delivery
	pageSize     int
}

func genLife(t *rapid.T, workspace string) *life {
	l := &life{history: genHistory(t), workspace: workspace, settings: genSettings(t), pageSize: rapid.IntRange(1, 5).Draw(t, "page size")}
	l.coming = rapid.Permutation(l.deliveries()).Draw(t, "order")
	return l
}

// goOn lets a batch come, and now and then changes the settings, which must show at once.
func (l *life) goOn(t *rapid.T, d *driver) {
	size := rapid.IntRange(1, len(l.coming)).Draw(t, "batch")
	d.record(l.workspace, toBatch(l.coming[:size]))
	l.come, l.coming = append(l.come, l.coming[:size]...), l.coming[size:]
	if rapid.IntRange(0, 2).Draw(t, "change settings") == 0 {
		l.settings = genSettings(t)
		compareState(t, d, l.workspace, newOracle(l.come), l.settings, l.pageSize)
	}
}

func genRejection() *rapid.Generator[directory.Rejection] {
	return rapid.Custom(func(t *rapid.T) directory.Rejection {
		return directory.Rejection{
			Source:      rapid.SampledFrom([]string{"web", ""}).Draw(t, "source"),
			Type:        rapid.SampledFrom([]string{"track", ""}).Draw(t, "type"),
			Code:        rapid.SampledFrom([]string{"event_required", "user_id_required"}).Draw(t, "code"),
			Fingerprint: [16]byte{rapid.Byte().Draw(t, "fingerprint")},
			Body:        []byte(rapid.SampledFrom([]string{`{"userId":"u1"}`, `{"userId":"u2","x":"u3"}`, `nothing`}).Draw(t, "body")),
			UserID:      rapid.SampledFrom([]string{"", "", "", "u1"}).Draw(t, "user"),
			TimeMS:      rapid.SampledFrom([]int64{0, epoch, epoch + 1, epoch + 2}).Draw(t, "time"),
		}
	})
}

func genFiltered() *rapid.Generator[directory.Filtered] {
	return rapid.Custom(func(t *rapid.T) directory.Filtered {
		return directory.Filtered{
			Source: rapid.SampledFrom([]string{"web", "app", "filtered only"}).Draw(t, "source"),
			Type:   rapid.SampledFrom([]string{"track", "identify", ""}).Draw(t, "type"),
		}
	})
}

func genCall() *rapid.Generator[call.Call] {
	user := rapid.SampledFrom([]string{"u1", "u1", "u2", "u3"})
	kind := rapid.SampledFrom([]call.Type{
		call.Identify, call.Identify, call.Group, call.Group, call.Track, call.Track, call.Page, call.Screen, call.Alias, call.Delete,
	})
	return rapid.Custom(func(t *rapid.T) call.Call {
		c := call.Call{
			Type:        kind.Draw(t, "type"),
			Source:      rapid.SampledFrom([]string{"web", "app"}).Draw(t, "source"),
			AnonymousID: rapid.SampledFrom([]string{"", "s"}).Draw(t, "session"),
			OriginalMS:  epoch + rapid.Int64Range(0, 3).Draw(t, "time"),
			Inactive:    rapid.IntRange(0, 2).Draw(t, "inactive") == 0,
		}
		c.TimeMS = c.OriginalMS + rapid.SampledFrom([]int64{0, 0, 0, 1, -1}).Draw(t, "correction")
		switch c.Type {
		case call.Delete:
			c.UserID = user.Draw(t, "user")
		case call.Alias:
			c.UserID, c.PreviousID = user.Draw(t, "user"), user.Draw(t, "previous")
		case call.Group:
			c.AccountID = rapid.SampledFrom([]string{"a1", "a1", "a2"}).Draw(t, "account")
			c.UserID = rapid.SampledFrom([]string{"", "", "u1", "u2"}).Draw(t, "user")
			c.Traits = genTraits(accountTable).Draw(t, "traits")
		default:
			c.UserID = user.Draw(t, "user")
			c.AccountID = rapid.SampledFrom([]string{"", "", "", "a1", "a1", "a1", "a1", "a2", "a3"}).Draw(t, "account")
			if c.Type == call.Identify {
				c.Traits = genTraits(userTable).Draw(t, "traits")
			}
		}
		return c
	})
}

// genTraits draws traits under the spellings of a table, each path at most once. It draws custom ones often: only where several users of one
// account have values at one place is there a conflict.
func genTraits(table []meaning) *rapid.Generator[[]call.Trait] {
	for _, m := range table {
		if m.as == custom {
			table = append(slices.Clone(table), m, m)
		}
	}
	trait := rapid.Custom(func(t *rapid.T) call.Trait {
		m := rapid.SampledFrom(table).Draw(t, "trait")
		path := rapid.SampledFrom(m.spellings).Draw(t, "spelling")
		return call.Trait{Path: path, Value: rapid.SampledFrom(samples(m.as)).Draw(t, "value").value}
	})
	return rapid.SliceOfNDistinct(trait, 0, 5, func(t call.Trait) string { return t.Path })
}

func genSettings(t *rapid.T) profile.Settings {
	return profile.Settings{Tiers: rapid.SampledFrom([][]string{nil, {"gold"}, {"gold", "silver"}}).Draw(t, "tiers"), Dimensions: genDimensions(t)}
}
