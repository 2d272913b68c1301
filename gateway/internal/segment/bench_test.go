package segment_test

import (
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

// delivered are calls as Segment delivers them, some 700 bytes each.
var delivered = map[string]string{
	"track": "{" + common + `"type":"track","event":"Report Exported","properties":{"plan":"Pro","module":"Reports","revenue":"39.95"}}`,
	"identify": "{" + common + `"type":"identify","traits":{"firstName":"Ada","lastName":"Lovelace","email":"ada@example.com",` +
		`"address":{"city":"London","country":"UK"},"plan":"Pro","logins":42}}`,
}

// BenchmarkParse parses one call, and a batch of a hundred from its body on.
func BenchmarkParse(b *testing.B) {
	for name, text := range delivered {
		b.Run(name, func(b *testing.B) {
			raw, o := []byte(text), strict()
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if _, rejection := segment.Parse(raw, o); rejection != nil {
					b.Fatal(rejection.Message)
				}
			}
		})
	}
	b.Run("track, mapped", func(b *testing.B) {
		raw, o := []byte(delivered["track"]), mapped(b, `
module: [properties.area, {literal: Billing, events: ["Invoice *"]}, properties.module]
account: [context.groupId, properties.company_id]`)
		b.SetBytes(int64(len(raw)))
		b.ReportAllocs()
		for b.Loop() {
			if _, rejection := segment.Parse(raw, o); rejection != nil {
				b.Fatal(rejection.Message)
			}
		}
	})
	b.Run("batch of 100", func(b *testing.B) {
		calls := strings.TrimSuffix(strings.Repeat(delivered["track"]+",", 100), ",")
		body := []byte(`{"batch":[` + calls + `],"sentAt":"2026-06-21T17:35:47.382Z","context":{"groupId":"acme","ip":"10.0.0.1"}}`)
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			batch, rejection := segment.Split(body)
			if rejection != nil {
				b.Fatal(rejection.Message)
			}
			o := strict()
			o.Batch = batch.Envelope
			for i := range batch.Calls {
				if _, rejection := batch.Parse(i, o); rejection != nil {
					b.Fatal(rejection.Message)
				}
			}
			batch.Free()
		}
	})
}
