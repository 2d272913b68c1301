package bolt

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/kit/record"
	storagev1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/storage/v1"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

func TestRowsAreWrittenAndReadAsProtobufDoes(t *testing.T) {
	number := rapid.OneOf(rapid.Just(uint32(0)), rapid.Uint32())
	name := rapid.Map(number, func(n uint32) session.Name { return session.Name(n) })
	ms := rapid.Int64Range(0, call.MaxTimeMS)
	rapid.Check(t, func(t *rapid.T) {
		at := ref{1, call.Position{TimeMS: 5, OriginalMS: 5, MessageID: "m"}}
		key := at.key()
		same := func(got []byte, m proto.Message) []byte {
			want, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("wrote %x, protobuf %x, %v", got, want, err)
			}
			return record.Seal(key, want)
		}
		p := session.Point{Position: at.Position, Module: name.Draw(t, "module"), User: name.Draw(t, "user"), Account: name.Draw(t, "account")}
		sealed := same(appendPoint(nil, p), &storagev1.PointRow{Module: uint32(p.Module), User: uint32(p.User), Account: uint32(p.Account)})
		if got, err := decodePoint(key, sealed); got != p || err != nil {
			t.Fatalf("read %+v, %v, want %+v", got, err, p)
		}

		amount := rapid.Int64Range(0, 1<<40)
		sum := session.Sum{Sessions: amount.Draw(t, "sessions"), Carried: 0, DurationMS: amount.Draw(t, "duration"), ActiveMS: -1}
		sealed = same(appendSum(nil, sum), &storagev1.SumRow{Sessions: sum.Sessions, DurationMs: sum.DurationMS, ActiveMs: -1})
		if got, err := decodeSum(key, sealed); got != sum || err != nil {
			t.Fatalf("read %+v, %v, want %+v", got, err, sum)
		}

		d, wanted := drawDay(t, sum, name, amount)
		var read daySums
		if err := decodeDay(&read, key, same(appendDay(nil, d), wanted)); err != nil || !sameDay(&read, d) {
			t.Fatalf("read %+v, %v, want %+v", read, err, d)
		}

		s := &stored{
			Session: session.Session{
				Start: at.Position, End: call.Position{TimeMS: ms.Draw(t, "end"), MessageID: rapid.String().Draw(t, "id"), OriginalMS: 7},
				User: p.User, Account: p.Account, Module: p.Module, Points: amount.Draw(t, "points"),
			},
			more: rapid.Uint64().Draw(t, "more"), revision: amount.Draw(t, "revision"), told: toldBefore, rules: number.Draw(t, "rules"),
		}
		want := &storagev1.SessionRow{
			EndMs: s.End.TimeMS, EndMessageId: s.End.MessageID, EndOriginalMs: 7, User: uint32(s.User), Account: uint32(s.Account),
			Module: uint32(s.Module), Points: s.Points, MoreParts: s.more, Revision: s.revision, Told: -1, Rules: s.rules,
		}
		for range rapid.IntRange(0, partsInRow).Draw(t, "parts") {
			part := storedPart{
				session.Part{Module: name.Draw(t, "module"), Day: day.Day(number.Draw(t, "day"))},
				session.Amount{DurationMS: amount.Draw(t, "duration"), ActiveMS: amount.Draw(t, "active"), Points: amount.Draw(t, "points")},
			}
			s.parts = append(s.parts, part)
			want.Parts = append(want.Parts, &storagev1.PartRow{
				Module: uint32(part.Module), Day: uint32(part.Day), DurationMs: part.DurationMS, ActiveMs: part.ActiveMS, Points: part.Points,
			})
		}
		_, got, err := decodeSession(key, same(appendSession(nil, s), want))
		if err != nil || got.Session != s.Session || !slices.Equal(got.parts, s.parts) {
			t.Fatalf("read %+v, %v, want %+v", got, err, s)
		}
		got.Session, got.parts, s.parts = s.Session, nil, nil
		if !cmp.Equal(got, s, cmp.AllowUnexported(stored{})) {
			t.Fatalf("read %+v, want %+v", got, s)
		}
	})
}

// drawDay returns the sums of a day and the message that says the same.
func drawDay(t *rapid.T, total session.Sum, name *rapid.Generator[session.Name], amount *rapid.Generator[int64]) (*daySums, *storagev1.DayRow) {
	d := &daySums{total: total, more: rapid.Uint64().Draw(t, "further")}
	row := &storagev1.DayRow{Sessions: total.Sessions, DurationMs: total.DurationMS, ActiveMs: total.ActiveMS, More: d.more}
	modules := rapid.SliceOfNDistinct(name, 0, modulesInDay, func(n session.Name) session.Name { return n }).Draw(t, "modules")
	slices.Sort(modules)
	before := session.Name(0)
	for _, m := range modules {
		s := session.Sum{Sessions: amount.Draw(t, "sessions"), Carried: -1, DurationMS: amount.Draw(t, "duration"), ActiveMS: amount.Draw(t, "active")}
		d.modules = append(d.modules, moduleSum{m, s})
		row.Modules = append(row.Modules, uint64(m-before), uint64(s.Sessions), math.MaxUint64, uint64(s.DurationMS), uint64(s.DurationMS-s.ActiveMS))
		before = m
	}
	return d, row
}

func sameDay(a, b *daySums) bool {
	return a.total == b.total && slices.Equal(a.modules, b.modules) && a.more == b.more
}
