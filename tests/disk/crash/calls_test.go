package crash

import (
	"fmt"
	"math/rand/v2"

	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
)

// day0 is 2026-11-02T00:00:00Z.
const day0 = 1793577600000

// deleteEvery is how many steps lie between two deletions of users.
const deleteEvery = 13

// deletes says whether a step deletes a user: the one kind of step that takes several transactions.
func deletes(step int) bool { return step%deleteEvery == deleteEvery-1 }

func chanceOf(seed uint64, sender, step int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(sender)<<32|uint64(step)))
}

// calls returns the calls of a step: of few users, accounts and sessions, in any order of time over two days.
func calls(seed uint64, sender, step int) []*segmentv1.Call {
	chance := chanceOf(seed, sender, step)
	if deletes(step) {
		return []*segmentv1.Call{call(chance, segmentv1.CallType_CALL_TYPE_DELETE, fmt.Sprintf("m-%d", step))}
	}
	var list []*segmentv1.Call
	for n := range 1 + chance.IntN(4) {
		kind := segmentv1.CallType_CALL_TYPE_TRACK
		if k := chance.IntN(10); k < 4 {
			kind = []segmentv1.CallType{
				segmentv1.CallType_CALL_TYPE_IDENTIFY, segmentv1.CallType_CALL_TYPE_GROUP,
				segmentv1.CallType_CALL_TYPE_PAGE, segmentv1.CallType_CALL_TYPE_ALIAS,
			}[k]
		}
		list = append(list, call(chance, kind, fmt.Sprintf("m-%d-%d", step, n)))
	}
	if step > 0 && !deletes(step-1) && chance.IntN(4) == 0 {
		list = append(list, calls(seed, sender, step-1)[0]) // a late copy
	}
	return list
}

func call(chance *rand.Rand, kind segmentv1.CallType, id string) *segmentv1.Call {
	user := chance.IntN(6)
	at := day0 + chance.Int64N(48*3600)*1000
	c := &segmentv1.Call{
		Type: kind, MessageId: id, OriginalTimeMs: at, TimeMs: at, Source: "web",
		AnonymousId: fmt.Sprintf("a%d", user/2), UserId: fmt.Sprintf("u%d", user),
	}
	if chance.IntN(2) == 0 || kind == segmentv1.CallType_CALL_TYPE_GROUP {
		c.AccountId = fmt.Sprintf("account %d", user%3)
	}
	switch kind {
	case segmentv1.CallType_CALL_TYPE_TRACK:
		c.Feature, c.Module = fmt.Sprintf("feature %d", chance.IntN(5)), fmt.Sprintf("module %d", chance.IntN(3))
	case segmentv1.CallType_CALL_TYPE_PAGE:
		c.Module = fmt.Sprintf("module %d", chance.IntN(3))
	case segmentv1.CallType_CALL_TYPE_IDENTIFY:
		c.Traits = []*segmentv1.Trait{trait("first_name", id), trait([]string{"email", "title", "plan"}[chance.IntN(3)], "x"+id)}
	case segmentv1.CallType_CALL_TYPE_GROUP:
		c.Traits = []*segmentv1.Trait{trait("name", id), trait("createdAt", "2020-01-02T03:04:05Z"), trait("industry", id)}
	case segmentv1.CallType_CALL_TYPE_ALIAS:
		c.PreviousId = fmt.Sprintf("u%d", chance.IntN(6))
	default:
	}
	return c
}

func trait(path, value string) *segmentv1.Trait {
	return &segmentv1.Trait{Path: path, Value: &segmentv1.Value{Kind: &segmentv1.Value_String_{String_: value}}}
}

// rejections returns what a step has beside its calls for the books.
func rejections(seed uint64, sender, step int) []*identityv1.Rejection {
	if deletes(step) || chanceOf(seed, sender, step).Uint64()%5 > 0 {
		return nil
	}
	text := fmt.Sprintf("%016d", step)
	return []*identityv1.Rejection{{
		Source: "web", Type: "track", Code: "user_id_missing", Fingerprint: []byte(text), MessageId: "r" + text, Message: "userId: required",
		Body: []byte(`{"event":"x"}`), BodyBytes: 13,
	}}
}
