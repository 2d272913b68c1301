package observe

import (
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
)

// Panicked is a panic that was recovered in one goroutine, to be raised again in another: the value, and where it came from.
type Panicked struct {
	value any
	stack []byte
}

// PanickedWith returns what was recovered, with the stack as it was then. What was recovered before already stays as it is.
func PanickedWith(p any, stack []byte) *Panicked {
	if before, ok := p.(*Panicked); ok {
		return before
	}
	return &Panicked{value: p, stack: stack}
}

// Panic returns what the log says of a recovered value: the text of the runtime's own errors, and of everything else the type alone,
// because nobody knows what was put into it; and the stack. It is called while the stack is still that of the panic: where it is recovered.
func Panic(p any) slog.Attr {
	from := PanickedWith(p, nil)
	if from.stack == nil {
		from.stack = debug.Stack()
	}
	text := fmt.Sprintf("%T", from.value)
	if err, ok := from.value.(runtime.Error); ok {
		text = err.Error()
	}
	// A group without a name is written as what it holds.
	return slog.Group("", slog.String("panic", text), slog.String("stack", string(from.stack)))
}
