package segment_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/callproto"
	"github.com/sojournhq/sojourn/internal/domain/workspace"

	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

// FuzzParse: whatever comes in, a call that is taken keeps the contract and is the same when sent again; one that is not says why.
func FuzzParse(f *testing.F) {
	for bad := range spoiled() {
		f.Add([]byte(bad))
	}
	f.Add([]byte(with(nil)))
	f.Add([]byte(anonymousCall))
	f.Add([]byte(strings.Replace(anonymousCall, "1.0", "NaN", 1)))
	f.Add([]byte(with(map[string]any{"timestamp": "2026-11-01 12:59:00 +0100 CET m=+0.1", "sentAt": "2026-11-01 11:00:00", "originalTimestamp": "x"})))
	f.Add([]byte(with(map[string]any{"type": "group", "groupId": 1, "traits": raw(`{"a.b":{"c":[1]},"d":{}}`), "sentAt": raw("1")})))
	f.Fuzz(func(t *testing.T, text []byte) {
		before := bytes.Clone(text)
		got, rejection := segment.Parse(text, strict())
		if !bytes.Equal(text, before) {
			t.Fatal("the input was changed")
		}
		if rejection != nil {
			if rejection.Code == "" || rejection.Message == "" || rejection.Code == "call_invalid" {
				t.Fatalf("rejected as %+v", rejection.Problem)
			}
			return
		}
		if err := got.Call.Check(); err != nil {
			t.Fatal(err)
		}
		// The same in canonical form is the same call. Only the order of the traits may differ, and null is nothing to be warned of.
		text, some := segment.Nulled(text)
		if some {
			got.Warnings = slices.DeleteFunc(got.Warnings, func(w segment.Problem) bool { return w.Code == segment.CodeNotNumber })
		}
		canonical, err := jsontext.AppendFormat(nil, text, jsontext.ReorderRawObjects(true))
		if err != nil {
			t.Fatalf("a call was taken that is no strict JSON: %v", err)
		}
		again, rejection := segment.Parse(canonical, strict())
		if rejection != nil {
			t.Fatalf("in canonical form rejected as %s", rejection.Code)
		}
		got.Call.Traits, again.Call.Traits = nil, nil
		if diff := cmp.Diff(got, again, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	})
}

// busy is a mapping that looks everywhere.
const busy = `
feature: [{path: event, events: [Export, "Inv*"]}, {path: name, types: [screen, page]}, {literal: Seen, types: [identify]}]
module: [context.area, 'a\.b.c', {literal: M, events: ["E*"]}, name]
account: [context.groupId, properties.company, traits.company.id]
user: [traits.id, userId]
session: [context.session, anonymousId]
time: [properties.at, {literal: 2026-01-01, types: [page]}]
dimensions:
  Plan: [context.plan, traits.plan, {literal: free, types: [group]}]
  Size: [traits.company.size, traits.company]`

// FuzzMapping: under any mapping a call that is taken keeps the contract, is the same call as without, survives its way to the services, and
// is explained as it is taken.
func FuzzMapping(f *testing.F) {
	for _, text := range samples() {
		f.Add([]byte(text))
	}
	f.Add([]byte(with(map[string]any{"type": "group", "context": raw(`{"groupId":"g","plan":null}`), "traits": raw(`{"company":{"size":1}}`)})))
	f.Add([]byte(with(map[string]any{"properties": raw(`{"at":1793534400,"company":"c"}`), "a.b": raw(`{"c":"M"}`)})))
	o := mapped(f, busy)
	o.Batch.Context = []byte(`{"groupId":"of batch","plan":"gold","area":7}`)
	plain := strict()
	plain.Batch = o.Batch
	f.Fuzz(func(t *testing.T, text []byte) {
		got, rejection := segment.Parse(text, o)
		explained, explainedRejection, trace := segment.Explain(text, o)
		if diff := cmp.Diff(rejection, explainedRejection); diff != "" {
			t.Fatalf("explained otherwise: %s", diff)
		}
		if rejection != nil {
			if rejection.Code == "" || rejection.Message == "" || rejection.Code == "call_invalid" {
				t.Fatalf("rejected as %+v", rejection.Problem)
			}
			return
		}
		if diff := cmp.Diff(got, explained); diff != "" {
			t.Fatalf("explained otherwise: %s", diff)
		}
		c := got.Call
		for name, found := range map[string]bool{
			"feature": trace.Feature.Found == (c.Feature != ""), "module": trace.Module.Found == (c.Module != ""),
			"user": trace.User.Found == (c.UserID != ""), "time": trace.Time.Found && trace.Why != "",
			"account": trace.Account.Found == (c.AccountID != "") || c.Type == call.Delete,
			"session": trace.Session.Found == (c.AnonymousID != "") || c.Type == call.Delete,
		} {
			if !found {
				t.Fatalf("where the %s comes from is not said, or said of none", name)
			}
		}
		if err := c.Check(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, callproto.Call(callproto.FromCall(&c))); diff != "" {
			t.Fatalf("on its way it becomes another: %s", diff)
		}
		if as, rejected := segment.Parse(text, plain); rejected == nil && as.Call.Fingerprint() != c.Fingerprint() {
			t.Fatal("it is another call than without a mapping")
		}
	})
}

// FuzzConfigured: under whatever mapping passes its check, a call that is taken keeps the contract, and one that is not says why.
func FuzzConfigured(f *testing.F) {
	for i, mapping := range []string{
		"{feature: [event, {literal: F, types: [page]}], module: [{path: 'properties.module', events: ['Ex*']}]}",
		"{account: [context.a.b], user: [traits.id], session: [a], dimensions: {Plan: [traits, {literal: free}]}}",
		"{time: [properties.at, {literal: 2026-11-01}], dimensions: {Plan: [context, sentAt, traits.x]}}",
	} {
		f.Add(mapping, []byte(samples()[i]))
		f.Add(mapping, []byte(delivered["identify"]))
	}
	f.Fuzz(func(t *testing.T, mapping string, text []byte) {
		c, err := workspace.Parse([]byte("workspaces: [{id: acme, dimensions: [{name: Plan, type: string}], " +
			"sources: [{id: web, write_keys: [write-key-000000000000], allow_delete: true, mapping: " + mapping + "}]}]"))
		if err != nil || len(c.Workspaces) == 0 || len(c.Workspaces[0].Sources) == 0 {
			return
		}
		o := strict()
		o.Rules = segment.RulesOf(&c.Workspaces[0].Sources[0], o.MaxBytes)
		got, rejection := segment.Parse(text, o)
		if rejection != nil && (rejection.Code == "" || rejection.Message == "" || rejection.Code == "call_invalid") {
			t.Fatalf("rejected as %+v", rejection.Problem)
		}
		if rejection == nil {
			if err := got.Call.Check(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// FuzzBatch: each call of a batch becomes what it becomes alone, whatever stands before and behind it.
func FuzzBatch(f *testing.F) {
	for _, text := range samples() {
		f.Add([]byte(text), []byte(with(nil)))
	}
	f.Fuzz(func(t *testing.T, one, two []byte) {
		lenient := []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}
		items := [][]byte{[]byte(with(nil)), one, two, one}
		for _, item := range items {
			if nulled, _ := segment.Nulled(item); !jsontext.Value(nulled).IsValid(lenient...) {
				return
			}
		}
		b, rejected := segment.Split(slices.Concat([]byte("["), bytes.Join(items, []byte(",")), []byte("]")))
		if rejected != nil || len(b.Calls) != len(items) {
			t.Fatalf("%d calls, rejection %+v", len(b.Calls), rejected)
		}
		o := strict()
		for i, item := range items {
			got, rejection := b.Parse(i, o)
			alone, rejectedAlone := segment.Parse(bytes.TrimSpace(item), strict())
			if diff := cmp.Diff(alone, got); diff != "" {
				t.Fatal(diff)
			}
			if diff := cmp.Diff(rejectedAlone, rejection); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

// FuzzSplit: a call between two others never changes what becomes of them, whatever it holds.
func FuzzSplit(f *testing.F) {
	for bad := range spoiled() {
		f.Add([]byte(bad))
	}
	f.Add([]byte(`{"batch":[{},1,[]]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		// As a whole body anything may come.
		if b, rejection := segment.Split(text); (rejection == nil) != (len(b.Calls) > 0) {
			t.Fatalf("%d calls and rejection %+v", len(b.Calls), rejection)
		}
		_, _ = segment.WriteKey(text)

		lenient := []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}
		if nulled, _ := segment.Nulled(text); !jsontext.Value(nulled).IsValid(lenient...) {
			return
		}
		good := with(nil)
		b, rejection := segment.Split([]byte(`{"batch":[` + good + `,` + string(text) + `,` + good + `],"sentAt":null}`))
		if rejection != nil {
			t.Fatalf("rejected as %s", rejection.Code)
		}
		if len(b.Calls) != 3 || string(b.Calls[0]) != good || string(b.Calls[2]) != good {
			t.Fatalf("split into %q", texts(b))
		}
		if !bytes.Equal(b.Calls[1], bytes.TrimSpace(text)) {
			t.Fatalf("the call became %q", b.Calls[1])
		}
	})
}
