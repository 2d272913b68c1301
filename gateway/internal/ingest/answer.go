package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/gateway/internal/ingest/pixel"
	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

// answer is what a request is answered with.
type answer struct {
	status int
	header http.Header
	// body is what is sent as JSON; nil: nothing is.
	body any
	// image: the request is for an image, which is all the answer shows, with 200. The status is for logs and metrics.
	image bool
	// shed: a limit refused the request.
	shed bool
}

// refused is the body of every answer but 200. Segment shows the message to its customer.
type refused struct {
	Message string `json:"message"`
	Code    string `json:"code"`
}

// taken is the body of the answer to one call.
type taken struct {
	Success  bool      `json:"success"`
	Warnings []warning `json:"warnings,omitempty"`
}

// takenMany is the body of the answer to a batch.
type takenMany struct {
	// Success is false when every call was rejected. The status is 200 all the same, since the same batch would be rejected again.
	Success bool `json:"success"`
	// Accepted counts the calls that are in, now or since before.
	Accepted int        `json:"accepted"`
	Rejected []rejected `json:"rejected"`
	Warnings []warning  `json:"warnings,omitempty"`
}

type warning struct {
	// Index is where the call is in the batch; of several with the same warning, the first of them.
	Index *int `json:"index,omitempty"`
	// Count is how many calls of the batch have the warning, if there is more than one.
	Count   int    `json:"count,omitempty"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Field   string `json:"field"`
}

type rejected struct {
	Index     int    `json:"index"`
	MessageID string `json:"messageId"`
	Code      string `json:"code"`
	Message   string `json:"message"`
}

func (a answer) write(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if a.image {
		w.Header().Set("Content-Type", "image/gif")
		_, _ = w.Write(pixel.Image()) // as below
		return
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	_, _ = w.Write(a.text()) // a client that went away misses nothing it cannot ask for again
}

// plainly is the answer to a call about which there is nothing to say, as nearly all are.
const plainly = `{"success":true}` + "\n"

// text returns the body as JSON.
func (a answer) text() []byte {
	if one, ok := a.body.(taken); ok && one.Success && len(one.Warnings) == 0 {
		return []byte(plainly)
	}
	text, err := json.Marshal(a.body)
	if err != nil {
		// Nothing in these types can fail to encode.
		panic(err)
	}
	return append(text, '\n')
}

func refusal(status int, code, message string) answer {
	return answer{status: status, body: refused{Message: message, Code: code}}
}

func unknownKey() answer {
	return refusal(http.StatusUnauthorized, "key_unknown",
		"the write key is missing or unknown: send it as the user name of basic auth, or as writeKey in the body")
}

func internalError() answer {
	return refusal(http.StatusInternalServerError, "internal", "internal error")
}

func unavailable() answer {
	return tryAgain("unavailable", "not everything could be stored just now: send the same again")
}

// tryAgain refuses a request that is worth sending again as it is.
func tryAgain(code, message string) answer {
	a := refusal(http.StatusServiceUnavailable, code, message)
	a.header = http.Header{"Retry-After": {"1"}}
	return a
}

// statusOf returns the HTTP status for a rejection that is the whole answer.
func statusOf(code string) int {
	switch code {
	case codeBodyTooLarge, segment.CodeTooLarge, segment.CodeBatchTooLong:
		return http.StatusRequestEntityTooLarge
	case segment.CodeTypeUnsupported:
		return http.StatusNotImplemented
	case segment.CodeDeleteNotAllowed:
		return http.StatusForbidden
	case codeEncodingUnsupported, codeCharsetUnsupported:
		return http.StatusUnsupportedMediaType
	}
	return http.StatusBadRequest
}

// failure answers a request that not all services took. What is not sure to be a bug may go away, so the sender is asked to try again.
func (d *Door) failure(ctx context.Context, err error) answer {
	if shed(err) {
		return shedding(err)
	}
	switch code := status.Code(err); {
	case code == codes.Unavailable, code == codes.DeadlineExceeded, code == codes.ResourceExhausted, code == codes.Canceled,
		code == codes.Aborted, errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		d.deps.Log.WarnContext(ctx, "service unavailable", slog.Any("error", err))
		return unavailable()
	}
	d.deps.Log.ErrorContext(ctx, "service failed", slog.Any("error", err))
	return internalError()
}

func answerOne(it *item) answer {
	if r := it.rejection; r != nil {
		return refusal(statusOf(r.Code), r.Code, r.Message)
	}
	body := taken{Success: true}
	for _, w := range it.parsed.Warnings {
		body.Warnings = append(body.Warnings, warning{Code: w.Code, Message: w.Message, Field: w.Field})
	}
	return answer{status: http.StatusOK, body: body}
}

// answerMany answers with what became of the calls of a batch, and with the warnings about what it says for all of them.
func answerMany(items []item, about []segment.Problem) answer {
	body := takenMany{Rejected: []rejected{}}
	var warnings batchWarnings
	for _, w := range about {
		warnings.all = append(warnings.all, warning{Code: w.Code, Message: w.Message, Field: w.Field})
	}
	for i := range items {
		if r := items[i].rejection; r != nil {
			body.Rejected = append(body.Rejected, rejected{Index: i, MessageID: r.MessageID, Code: r.Code, Message: r.Message})
			continue
		}
		body.Accepted++
		for _, w := range items[i].parsed.Warnings {
			warnings.add(i, w)
		}
	}
	body.Warnings = warnings.all
	body.Success = body.Accepted > 0
	return answer{status: http.StatusOK, body: body}
}

// batchWarnings are those of a batch, each once: thousands of calls may have the same, and all of them the same sender.
type batchWarnings struct {
	all []warning
	at  map[segment.Problem]int
}

func (b *batchWarnings) add(index int, w segment.Problem) {
	if i, told := b.at[w]; told {
		b.all[i].Count = max(b.all[i].Count, 1) + 1
		return
	}
	if b.at == nil {
		b.at = map[segment.Problem]int{}
	}
	b.at[w] = len(b.all)
	b.all = append(b.all, warning{Index: &index, Code: w.Code, Message: w.Message, Field: w.Field})
}
