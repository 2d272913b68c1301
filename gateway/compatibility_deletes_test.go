package gateway_test

import (
	"net/http"
	"strings"
)

// deletions are delete calls: of a source that may send them, of one that signs its requests, and of one that may not.
func deletions() map[string]sending {
	const code, took = "delete_not_allowed", "delete user=u"
	gone := callOf(`"type":"delete"`)
	second := strings.Replace(gone, `"m"`, `"m2"`, 1)
	denied := func(path, body string) sending { return rejectedOne(path, body, 403, code, "delete") }
	// in is a request of many calls of which the one at index is not allowed.
	in := func(path, body, index, took string) sending {
		s := withCounted(posted(path, body, took), "delete "+code)
		s.answer = "'rejected':[{'index':" + index + ",'messageId':'m2','code':'" + code + "'"
		return s
	}
	signed := func(s sending, over string) sending {
		s.key, s.header = signedKey, append(s.header, "X-Signature", signature(over))
		return s
	}
	all := map[string]sending{
		"delete of a source that may not":                 in("/v1/batch", batchOf("", tracked(), second), "1", tookTracked),
		"delete of a source that may not, import":         in("/v1/import", batchOf("", second), "0", ""),
		"delete of a source that may not, array":          in("/v1/segment", "["+second+","+tracked()+"]", "0", tookTracked),
		"delete of a source that may not, key in path":    denied("/v1/segment/"+writeKey, gone),
		"delete of a source that may not, path":           denied("/v1/delete", callOf(`"type":"track","event":"E"`)),
		"delete of a source that may not, short path":     denied("/delete", callOf("")),
		"delete of a source that may not, delivered":      denied("/v1/segment", gone),
		"delete of a source that may not, type escaped":   denied("/v1/segment", callOf(`"type":"\u0064elete"`)),
		"delete of a source that may not, without userId": denied("/v1/delete", `{"messageId":"m"}`),
		"delete in the body of a track call":              posted("/v1/track", callOf(`"type":"delete","event":"E"`), tookTracked),
		"delete that is allowed": {
			path: "/v1/batch", key: deletesKey, body: batchOf("", tracked(), second), took: tookTracked + " | " + took, answer: "'accepted':2",
		},
		"delete that is allowed, array":  {path: "/v1/segment", key: deletesKey, body: "[" + tracked() + "," + second + "]", took: tookTracked + " | " + took},
		"delete that is signed":          signed(posted("/v1/segment", gone, took), gone),
		"delete that is signed, batch":   signed(posted("/v1/batch", batchOf("", tracked(), second), tookTracked+" | "+took), batchOf("", tracked(), second)),
		"delete that is signed, first":   signed(posted("/v1/segment", "["+gone+","+tracked()+"]", took+" | "+tookTracked), gone),
		"delete that is signed, second":  signed(in("/v1/segment", "["+tracked()+","+second+"]", "1", tookTracked), tracked()),
		"delete that is signed, a copy":  signed(in("/v1/segment", "["+gone+", "+second+"]", "1", took), gone),
		"delete that is signed, wrongly": refused(signed(posted("/v1/segment", gone, ""), second), 403, "signature_invalid"),
	}
	for name, s := range all {
		if s.method = http.MethodPost; strings.HasSuffix(name, "second") {
			s.method = http.MethodPatch
		}
		all[name] = s
	}
	return all
}
