package limit

import (
	"context"
	"errors"
)

// Question takes a place for a question of a workspace, and waits a moment for it, within ctx. The admin's have none, which counts as one
// of its own. Leave gives the place back.
func (l *Limits) Question(ctx context.Context, workspace string) (leave func(), err error) {
	return l.place(ctx, l.questions, workspace, "questions")
}

// Stream takes a place for an answer that goes on until its reader leaves. It never waits.
func (l *Limits) Stream(workspace string) (leave func(), err error) {
	// No deadline is needed, for this pool has no line.
	return l.place(context.Background(), l.streams, workspace, "streams")
}

func (l *Limits) place(ctx context.Context, in *pool[tenant], workspace, what string) (leave func(), err error) {
	who := tenant{workspace: workspace}
	if err := in.take(ctx, who, 1); err != nil {
		refusal := shared(what).share
		if errors.Is(err, errFull) {
			refusal = shared(what).full
		}
		l.metrics.refuse(workspace, refusal.Reason)
		return nil, &refusal
	}
	return func() { in.put(who, 1) }, nil
}
