// Package sender sends calls as clients and Segment do: what is not answered 200 is sent again.
package sender

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/sojournhq/sojourn/tests/reliability/oracle"
)

// Body is a batch of calls as a client writes it.
func Body(calls []oracle.Call) ([]byte, error) {
	batch := make([]map[string]any, len(calls))
	for i := range calls {
		batch[i] = object(&calls[i])
	}
	body, err := json.Marshal(map[string]any{"batch": batch})
	if err != nil {
		return nil, fmt.Errorf("write a batch: %w", err)
	}
	return body, nil
}

func object(c *oracle.Call) map[string]any {
	o := map[string]any{
		"type": c.Type, "messageId": c.MessageID, "timestamp": time.UnixMilli(c.TimeMS).UTC().Format("2006-01-02T15:04:05.000Z"),
	}
	for key, value := range map[string]string{
		"anonymousId": c.AnonymousID, "userId": c.UserID, "previousId": c.PreviousID, "groupId": c.AccountID, "event": c.Feature,
	} {
		if value != "" {
			o[key] = value
		}
	}
	if c.Module != "" {
		o["properties"] = map[string]any{"module": c.Module}
	}
	if c.Traits != nil {
		o["traits"] = c.Traits
	}
	return o
}
