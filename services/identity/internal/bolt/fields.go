package bolt

import (
	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/callproto"
	storagev1 "github.com/sojournhq/sojourn/proto/sojourn/identity/storage/v1"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

// toRows returns fields as they are stored. A field that was too large is one without a value.
func toRows(fields []profile.Field) []*storagev1.Field {
	rows := make([]*storagev1.Field, 0, len(fields))
	for _, f := range fields {
		row := &storagev1.Field{Path: f.Path, TimeMs: f.At.TimeMS, MessageId: f.At.MessageID}
		if !f.TooLarge {
			row.Value = callproto.FromValue(f.Value)
		}
		rows = append(rows, row)
	}
	return rows
}

func fromRows(rows []*storagev1.Field) []profile.Field {
	fields := make([]profile.Field, 0, len(rows))
	for _, row := range rows {
		f := profile.Field{Path: row.GetPath(), At: call.Position{TimeMS: row.GetTimeMs(), MessageID: row.GetMessageId()}}
		if row.Value == nil {
			f.TooLarge = true
		} else {
			f.Value = callproto.Value(row.GetValue())
		}
		fields = append(fields, f)
	}
	return fields
}
