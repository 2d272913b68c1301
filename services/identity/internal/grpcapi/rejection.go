package grpcapi

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/sojournhq/sojourn/internal/domain/call"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
	"github.com/sojournhq/sojourn/services/identity/internal/mention"
)

const (
	// maxCode is how long a rejection's code may be, in bytes.
	maxCode = 64
	// maxMessage is how much of a message, and of a field's name, is kept, in bytes. The gateway's are longer where a mapping's paths are.
	maxMessage = 512
	// invalidCode is the code of calls that reach us and do not keep the contract of a call. The gateway has the same.
	invalidCode = "call_invalid"
	// other stands for a code that is none, and for a type that is none of Segment's: the books have one row a type, so what somebody makes
	// up must not make rows.
	other = "other"
)

// toRejection translates a rejection, and says whether its fingerprint is one.
func toRejection(m *identityv1.Rejection) (rejection directory.Rejection, ok bool) {
	rejection = directory.Rejection{
		Source:    within(m.GetSource(), call.MaxName, ""),
		Type:      knownType(m.GetType()),
		Code:      within(m.GetCode(), maxCode, other),
		Message:   beginning(m.GetMessage()),
		Field:     beginning(m.GetField()),
		MessageID: within(m.GetMessageId(), call.MaxMessageID, ""),
		UserID:    within(m.GetUserId(), call.MaxName, ""),
		TimeMS:    m.GetTimeMs(),
		Body:      m.GetBody(),
		BodyBytes: max(m.GetBodyBytes(), int64(len(m.GetBody()))),
		Accepted:  m.AcceptedOriginalTimeMs, //nolint:protogetter // the getter does not tell a time that is not set from 1970
	}
	if rejection.Code == "" {
		rejection.Code = other
	}
	if len(rejection.Body) > directory.MaxBody {
		rejection.Body = rejection.Body[:directory.MaxBody]
	}
	if int64(len(rejection.Body)) < rejection.BodyBytes {
		rejection.Body = mention.Whole(rejection.Body)
	}
	return rejection, copy(rejection.Fingerprint[:], m.GetFingerprint()) == len(rejection.Fingerprint) &&
		len(m.GetFingerprint()) == len(rejection.Fingerprint)
}

// invalidCall returns the rejection of a call that did not pass its check. What was sent as the sender wrote it is not known here.
func invalidCall(m *segmentv1.Call, c *call.Call, message string) (directory.Rejection, error) {
	content, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return directory.Rejection{}, fmt.Errorf("encode an invalid call: %w", err)
	}
	rejection := directory.Rejection{
		Source: within(c.Source, call.MaxName, ""), Type: c.Type.String(), Code: invalidCode, Message: message,
		MessageID: within(c.MessageID, call.MaxMessageID, ""), UserID: within(c.UserID, call.MaxName, ""), TimeMS: c.TimeMS,
	}
	sum := sha256.Sum256(content)
	copy(rejection.Fingerprint[:], sum[:])
	return rejection, nil
}

// within returns text, or instead where text is longer than limit: the books have no room for whatever somebody sends.
func within(text string, limit int, instead string) string {
	if len(text) > limit {
		return instead
	}
	return text
}

// beginning returns as much of a message as is kept.
func beginning(message string) string {
	return strings.ToValidUTF8(message[:min(len(message), maxMessage)], "")
}

// knownType returns name if it is a type of Segment's, or empty.
func knownType(name string) string {
	for t := call.Track; t <= call.Delete; t++ {
		if name == "" || name == t.String() {
			return name
		}
	}
	return other
}
