package callproto_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/callproto"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
)

// BenchmarkTranslate brings one use of a feature into the form that services are asked in, onto the wire, and back.
func BenchmarkTranslate(b *testing.B) {
	c := call.Call{
		Type: call.Track, MessageID: "ajs-next-1790000000000-5f0c9b61-7a8e-4c33-9d30-2f1f6a1f0001", OriginalMS: 1_790_000_000_000,
		TimeMS: 1_790_000_000_000, AnonymousID: "5f0c9b61-7a8e-4c33-9d30-2f1f6a1f0001", UserID: "usr_5f0c9b61", AccountID: "org_7a8e4c33",
		Module: "Reports", Feature: "Report Exported", Source: "app",
	}
	b.Run("to message", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			callproto.FromCall(&c)
		}
	})
	message := callproto.FromCall(&c)
	wire, err := proto.Marshal(message)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("marshal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := proto.Marshal(message); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("unmarshal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := proto.Unmarshal(wire, &segmentv1.Call{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("from message", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			callproto.Call(message)
		}
	})
}
