package gateway

import (
	"context"
	"time"
)

// lingering returns a context that ends linger after ctx has ended, and calls onEnd when ctx ends. The returned function releases it.
func lingering(ctx context.Context, linger time.Duration, onEnd func()) (context.Context, func()) {
	serving, end := context.WithCancel(context.WithoutCancel(ctx))
	stopWatching := context.AfterFunc(ctx, func() {
		onEnd()
		time.AfterFunc(linger, end)
	})
	return serving, func() { stopWatching(); end() }
}
