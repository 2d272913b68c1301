package gateway_test

import (
	"context"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/gateway/internal/backendtest"
)

// posted is a request of a client with its key as basic auth.
func posted(path, body, took string) sending {
	return sending{path: path, key: writeKey, body: body, took: took}
}

// rejectedOne is a call that is refused and counted.
func rejectedOne(path, body string, status int, code, typeName string) sending {
	return withCounted(refused(posted(path, body, ""), status, code), strings.TrimSpace(typeName+" "+code))
}

// responses are the rules for answers, batches, ids and times.
func responses() map[string]sending {
	old := func(original, sent, received, timestamp string) string {
		return `{"type":"track","event":"E","messageId":"m","anonymousId":"a","userId":"u","originalTimestamp":"` + original +
			`","sentAt":"` + sent + `","receivedAt":"` + received + `","timestamp":"` + timestamp + `"}`
	}
	noID := strings.Replace(tracked(), `"messageId":"m",`, "", 1)
	inGroup := `"context":{"groupId":"acme","ip":"::1"},"integrations":{"All":true}`
	warned := func(s sending, code string) sending {
		s.answer = "'warnings':[{'code':'" + code + "'"
		return s
	}
	batch := func(s sending, part string) sending {
		s.answer = part
		return s
	}
	twice := posted("/v1/track", noID, tookTracked)
	twice.again = true
	return map[string]sending{
		"answer of a call":               batch(posted("/v1/track", tracked(), tookTracked), "{'success':true}\n"),
		"answer of a batch":              batch(posted("/v1/batch", batchOf("", tracked()), tookTracked), "{'success':true,'accepted':1,'rejected':[]}\n"),
		"batch with context":             posted("/v1/batch", batchOf(inGroup, tracked()), tookTrackedAt("acme")),
		"batch with context, item wins":  posted("/v1/batch", batchOf(inGroup, callOf(`"type":"track","event":"E","context":{"groupId":"own"}`)), tookTrackedAt("own")),
		"batch with context, item apart": posted("/v1/batch", batchOf(inGroup, callOf(`"type":"track","event":"E","context":{"ip":"::2"}`)), tookTrackedAt("acme")),
		"batch with sentAt": posted("/v1/batch", batchOf(`"sentAt":"2020-01-01T00:00:00Z"`,
			`{"type":"track","event":"E","messageId":"m","anonymousId":"a","userId":"u","timestamp":"2019-12-31T23:59:00Z","receivedAt":"2020-01-01T01:00:00Z"}`),
			tookTracked+" at=2020-01-01T00:59:00.000Z"),
		"batch with messageId and timestamp": posted("/v1/batch", batchOf(`"messageId":"b","timestamp":"2020-01-01T00:00:00Z"`, tracked()), tookTracked),
		"batch with an item without type": withCounted(batch(posted("/v1/batch", batchOf("", callOf(""), tracked()), tookTracked),
			"'accepted':1,'rejected':[{'index':0,'messageId':'m','code':'type_required'"), "type_required"),
		"batch with bad items": withCounted(batch(posted("/v1/batch", batchOf("", `7`, callOf(`"type":"erase"`), tracked()), tookTracked),
			"'accepted':1,'rejected':[{'index':0,"), "call_not_object | erase type_unsupported"),
		"batch of duplicates":  again(batch(posted("/v1/batch", batchOf("", tracked()), tookTracked), "{'success':true,'accepted':1,'rejected':[]}")),
		"batch of bad items":   withCounted(batch(posted("/v1/batch", batchOf("", `7`), ""), "{'success':false,'accepted':0,'rejected':[{'index':0,"), "call_not_object"),
		"batch damaged inside": withCounted(batch(posted("/v1/batch", batchOf("", `{"type":"track","type":"page"}`, tracked()), tookTracked), "'code':'json_duplicate_key'"), "track json_duplicate_key"),
		"messageId missing":    twice,
		"messageId twice":      again(posted("/v1/track", tracked(), tookTracked)),
		"ids numbers":          posted("/v1/track", strings.Replace(tracked(), `"u"`, `12345`, 1), "track user=12345 feature=E"),
		"ids absent, track":    warned(posted("/v1/track", `{"event":"E","messageId":"m","userId":"u","timestamp":"2026-10-01T11:59:00Z"}`, tookTracked), "anonymous_id_absent"),
		"ids absent, group":    warned(posted("/v1/group", `{"groupId":"acme","messageId":"m","userId":"u","timestamp":"2026-10-01T11:59:00Z"}`, "group user=u account=acme"), "anonymous_id_absent"),
		"ids absent, page":     warned(posted("/v1/page", `{"name":"M","messageId":"m","anonymousId":"a","timestamp":"2026-10-01T11:59:00Z"}`, "page module=M"), "user_id_absent"),
		"ids absent, of all calls of a batch": batch(posted("/v1/batch", batchOf("", `{"type":"track","event":"E","messageId":"m","userId":"u","timestamp":"2026-10-01T11:59:00Z"}`,
			`{"type":"track","event":"E","messageId":"n","userId":"u","timestamp":"2026-10-01T11:59:00Z"}`), tookTracked+" | "+tookTracked),
			"'accepted':2,'rejected':[],'warnings':[{'index':0,'count':2,'code':'anonymous_id_absent'"),
		"ids placeholders":                     warned(sending{path: "/v1/track", key: writeKey, body: strings.Replace(tracked(), `"u"`, `"undefined"`, 1), took: "track feature=E"}, "user_id_absent"),
		"integrations that switch all off":     warned(posted("/v1/track", callOf(`"event":"E","integrations":{"All":false}`), ""), "filtered"),
		"integrations that switch Sojourn off": warned(posted("/v1/track", callOf(`"event":"E","integrations":{"Sojourn":false}`), ""), "filtered"),
		"integrations of a replay, delivered":  posted("/v1/segment", callOf(`"type":"track","event":"E","integrations":{"All":false,"Webhooks":true}`), tookTracked),
		"integrations of a batch": batch(posted("/v1/batch", batchOf(`"integrations":{"All":false}`, callOf(`"type":"page"`), callOf(`"type":"track","event":"E","integrations":{"Sojourn":true}`)), tookTracked),
			"'accepted':2,'rejected':[],'warnings':[{'index':0,'code':'filtered'"),
		"ids absent, both":      warned(posted("/v1/page", `{"name":"M","timestamp":"2026-10-01T11:59:00Z"}`, "page module=M"), "user_id_absent"),
		"times of a track call": posted("/v1/segment", old("2019-06-21T17:35:47.381Z", "2019-06-21T17:35:47.382Z", "2019-06-21T17:35:47.405Z", "2019-06-21T17:35:47.404Z"), tookTracked+" at=2019-06-21T17:35:47.381Z"),
		"times of a clock that is wrong, delivered": warned(posted("/v1/segment", old("2019-06-21T05:00:00Z", "2019-06-21T05:00:01Z", "2019-06-21T17:35:47.405Z", "2019-06-21T17:35:46.405Z"),
			tookTracked+" at=2019-06-21T17:35:46.405Z"), "time_corrected"),
		"times of a clock that is wrong, direct": warned(posted("/v1/track", `{"event":"E","messageId":"m","anonymousId":"a","userId":"u","timestamp":"2019-06-21T05:00:00Z",`+
			`"sentAt":"2019-06-21T05:00:01Z","receivedAt":"2019-06-21T17:35:47.405Z"}`, tookTracked+" at=2019-06-21T17:35:46.405Z"), "time_corrected"),
		"times in the future":  warned(posted("/v1/track", strings.Replace(tracked(), "2026-10-01", "2200-10-01", 1), tookTracked), "timestamp_clamped"),
		"times of a client":    posted("/v1/track", tracked(), tookTracked),
		"times sentAt missing": posted("/v1/track", `{"event":"E","messageId":"m","anonymousId":"a","userId":"u","timestamp":"2019-06-21T05:00:00Z"}`, tookTracked+" at=2019-06-21T05:00:00.000Z"),
		"times sentAt unreadable": warned(posted("/v1/track", `{"event":"E","messageId":"m","anonymousId":"a","userId":"u","timestamp":"2019-06-21T05:00:00Z","sentAt":"soon"}`,
			tookTracked+" at=2019-06-21T05:00:00.000Z"), "sent_at_invalid"),
		"times missing": rejectedOne("/v1/track", `{"event":"E","anonymousId":"a","userId":"u"}`, 400, "timestamp_required", "track"),
	}
}

func tookTrackedAt(account string) string { return "track user=u account=" + account + " feature=E" }

func again(s sending) sending {
	s.again = true
	return s
}

func by(key string, s sending) sending {
	s.key = key
	return s
}

// rejections are what Segment has codes for.
func rejections() map[string]sending {
	without := func(id string) string { return strings.Replace(callOf(`"type":"track","event":"E"`), id, "", 1) }
	warned := posted("/v1/page", callOf(`"name":7,"category":{}`), "page user=u module=7")
	warned.answer = "'code':'module_invalid'"
	return map[string]sending{
		"rejected empty_batch":           rejectedOne("/v1/batch", `{"batch":[]}`, 400, "empty_batch", ""),
		"rejected no userId":             by(strictKey, rejectedOne("/v1/track", without(`"userId":"u",`), 400, "user_id_required", "track")),
		"rejected no anonymousId":        by(strictKey, rejectedOne("/v1/track", without(`"anonymousId":"a",`), 400, "anonymous_id_required", "track")),
		"rejected no event":              rejectedOne("/v1/track", callOf(""), 400, "event_required", "track"),
		"rejected event no string":       rejectedOne("/v1/track", callOf(`"event":7`), 400, "event_invalid", "track"),
		"rejected properties no object":  rejectedOne("/v1/track", callOf(`"event":"E","properties":[]`), 400, "properties_not_object", "track"),
		"rejected traits no object":      rejectedOne("/v1/identify", callOf(`"traits":"x"`), 400, "traits_not_object", "identify"),
		"rejected name no string":        warned,
		"rejected id no string":          rejectedOne("/v1/track", strings.Replace(callOf(`"event":"E"`), `"u"`, `{}`, 1), 400, "user_id_invalid", "track"),
		"rejected no groupId":            rejectedOne("/v1/group", callOf(""), 400, "group_id_required", "group"),
		"rejected no previousId":         rejectedOne("/v1/alias", callOf(""), 400, "previous_id_required", "alias"),
		"rejected alias without userId":  rejectedOne("/v1/alias", `{"previousId":"p","timestamp":"2026-10-01T11:59:00Z"}`, 400, "user_id_required", "alias"),
		"rejected no JSON":               rejectedOne("/v1/track", `{"a"`, 400, "json_invalid", "track"),
		"rejected no object":             rejectedOne("/v1/track", `"a"`, 400, "call_not_object", "track"),
		"rejected batch unreadable":      rejectedOne("/v1/batch", `{"batch":[{`, 400, "json_invalid", ""),
		"rejected invalid UTF-8":         rejectedOne("/v1/track", callOf(`"event":"\ud800"`), 400, "json_invalid_utf8", "track"),
		"rejected key in another case":   by(strictKey, rejectedOne("/v1/track", strings.Replace(callOf(`"event":"E"`), "userId", "USERID", 1), 400, "user_id_required", "track")),
		"rejected unreadable, no key":    refused(sending{path: "/v1/track", body: "{"}, 400, "json_invalid"),
		"rejected identify as delivered": rejectedOne("/v1/segment", callOf(`"type":"identify","traits":[]`), 400, "traits_not_object", "identify"),
	}
}

// clients are requests as official clients make them.
func clients() map[string]sending {
	browser := `"writeKey":"` + writeKey + `","sentAt":"2026-10-01T11:59:00.5Z","_metadata":{"bundled":["Segment.io"],"unbundled":[],"bundledIds":[]},` +
		`"integrations":{},"channel":"client","context":{"ip":"0.0.0.0","page":{"path":"/","url":"https://app.test/"},"library":{"name":"analytics.js"}}`
	basic := []string{"Authorization", "Basic " + inBase64(writeKey+":")}
	with := func(s sending, header ...string) sending {
		s.header = append(s.header, header...)
		return s
	}
	text, json := []string{"Content-Type", "text/plain"}, []string{"Content-Type", "application/json"}
	sent := `"sentAt":"2026-10-01T11:59:00.5Z"`
	keyed := batchOf(sent+","+keyOf(writeKey), tracked())
	unkeyed := batchOf(sent, tracked())
	to := func(path, body string) sending { return sending{path: path, body: body, took: tookTracked} }
	return map[string]sending{
		"client analytics.js":            with(with(to("/v1/t", callOf(`"type":"track","event":"E",`+browser)), text...), basic...),
		"client analytics.js, older":     with(to("/v1/t", callOf(`"type":"track","event":"E",`+browser)), text...),
		"client analytics.js, retrying":  again(with(with(with(to("/v1/t", callOf(`"type":"track","event":"E",`+browser)), text...), basic...), "X-Retry-Count", "1")),
		"client analytics.js, batching":  with(with(to("/v1/b", batchOf(sent+","+keyOf(writeKey), callOf(`"type":"track","event":"E","_metadata":{}`))), text...), basic...),
		"client analytics-node 3":        with(with(to("/v1/batch", keyed), json...), append(basic, "User-Agent", "analytics-node-next/latest", "X-Retry-Count", "0")...),
		"client analytics-node 3, OAuth": with(with(to("/v1/batch", keyed), json...), "Authorization", "Bearer token"),
		"client analytics-node 6":        with(with(to("/v1/batch", batchOf(`"timestamp":"2026-10-01T11:59:00.4Z",`+sent, tracked())), json...), basic...),
		"client analytics-python":        with(to("/v1/batch", keyed), json...),
		"client analytics-python, gzip":  with(to("/v1/batch", zipped(keyed)), append(json, "Content-Encoding", "gzip")...),
		"client analytics-go":            with(with(to("/v1/batch", batchOf(`"messageId":"b",`+sent+`,"context":{"library":{"name":"analytics-go"}}`, tracked())), json...), append(basic, "User-Agent", "analytics-go (version: 3.0.0)")...),
		"client analytics-ruby":          with(with(to("/v1/import", unkeyed), json...), basic...),
		"client analytics-java":          with(with(to("/v1/import", unkeyed), "Content-Type", "application/json; charset=utf-8"), basic...),
		"client analytics-php":           with(with(to("/v1/batch", unkeyed), json...), basic...),
		"client analytics-php, gzip":     with(with(to("/v1/batch", zipped(unkeyed)), append(json, "Content-Encoding", "gzip")...), basic...),
		"client analytics-kotlin":        with(to("/b", zipped(keyed)), append(text, "Content-Encoding", "gzip")...),
		"client analytics-swift":         with(to("/b", keyed), "Content-Type", "application/json; charset=utf-8", "User-Agent", "analytics-ios/1.7.0"),
		"client with an error in a batch": withCounted(sending{
			path: "/v1/batch", body: batchOf(keyOf(writeKey), callOf(`"type":"track"`), tracked()), took: tookTracked, answer: "'accepted':1,'rejected':[{'index':0",
		}, "track event_required"),
	}
}

// forms are how Segment delivers to a destination.
func forms() map[string]sending {
	agent := func(s sending, header ...string) sending {
		s.header = append(append(s.header, "Content-Type", "application/json", "User-Agent", "Segment.io/1.0"), header...)
		return s
	}
	deliver := func(body, took string) sending { return agent(posted("/v1/segment", body, took)) }
	signed := func(body, over, took string) sending {
		s := deliver(body, took)
		s.key = signedKey
		if over != "" {
			s.header = append(s.header, "X-Signature", signature(over))
		}
		return s
	}
	second := strings.Replace(tracked(), `"m"`, `"m2"`, 1)
	pair := tookTracked + " | " + tookTracked
	with := func(s sending, method, answer string) sending {
		s.method, s.answer = method, answer
		return s
	}
	unescaped := callOf(`"type":"track","event":"E","x":"<&>\u00e9"`)
	return map[string]sending{
		"form webhook":                         agent(sending{path: "/v1/segment/" + writeKey, body: tracked(), took: tookTracked}),
		"form webhook with a header":           agent(sending{path: "/v1/segment", body: tracked(), took: tookTracked}, "X-Write-Key", writeKey),
		"form subscription":                    agent(posted("/v1/segment", tracked(), tookTracked), "X-Segment-Settings", inBase64(`{"region":"eu"}`), "Accept", "*/*", "Cache-Control", "no-cache"),
		"form subscription, settings unread":   agent(posted("/v1/segment", tracked(), tookTracked), "X-Segment-Settings", "%%% no base64"),
		"form actions, one call":               with(deliver(tracked(), tookTracked), "POST", ""),
		"form actions, array":                  with(deliver("["+tracked()+","+second+"]", pair), "POST", "'accepted':2"),
		"form actions, PUT":                    with(deliver("["+tracked()+"]", tookTracked), "PUT", "'accepted':1"),
		"form actions, PATCH":                  with(deliver("["+tracked()+"]", tookTracked), "PATCH", "'accepted':1"),
		"form function":                        deliver(tracked(), tookTracked),
		"signature":                            signed(tracked(), tracked(), tookTracked),
		"signature over the bytes":             signed(unescaped, unescaped, tookTracked),
		"signature of an array":                signed("["+tracked()+","+second+"]", tracked(), pair),
		"signature of an array, second signed": refused(signed("["+tracked()+","+second+"]", second, ""), 403, "signature_invalid"),
		"signature wrong":                      refused(signed(tracked(), second, ""), 403, "signature_invalid"),
		"signature missing":                    refused(signed(tracked(), "", ""), 403, "signature_required"),
		"delivery twice":                       again(deliver(tracked(), tookTracked)),
		"delivery in other batches":            deliver("["+tracked()+","+tracked()+","+second+"]", tookTracked+" | "+pair),
		"delivery of a replay":                 deliver(strings.Replace(callOf(`"type":"track","event":"E","integrations":{"All":false,"Sojourn":true}`), "2026-10", "2016-10", 1), tookTracked+" at=2016-10-01T11:59:00.000Z"),
	}
}

// answerCodes are what a destination answers.
func answerCodes() map[string]sending {
	deliver := func(body, took string) sending { return posted("/v1/segment", body, took) }
	broken := refused(deliver(tracked(), ""), 500, "internal")
	broken.backend = func(b *backendtest.Backend) {
		b.Identity.Fail(func(context.Context) error { return status.Error(codes.Internal, "secret cause") })
	}
	json := deliver(`{"type":"track"}`, "")
	json.headers = map[string]string{"Content-Type": "application/json"}
	unknown := deliver(tracked(), "")
	unknown.key = "no-such-key-00000"
	forbidden := deliver(tracked(), "")
	forbidden.key = queryToken
	return map[string]sending{
		"code 200": deliver(tracked(), tookTracked),
		"code 400": withCounted(refused(json, 400, "timestamp_required"), "track timestamp_required"),
		"code 401": refused(unknown, 401, "key_unknown"),
		"code 403": refused(forbidden, 403, "permission"),
		"code 413": rejectedOne("/v1/track", strings.Repeat("x", 40<<10), 413, "body_too_large", "track"),
		"code 500": broken,
		"code 501": rejectedOne("/v1/segment", callOf(`"type":"erase"`), 501, "type_unsupported", "erase"),
		"code 501 not in an array": withCounted(sending{
			path: "/v1/segment", key: writeKey, body: "[" + callOf(`"type":"erase"`) + "]", answer: "'accepted':0,'rejected':[{'index':0",
		}, "erase type_unsupported"),
	}
}

// shapes are calls as Segment really delivers them.
func shapes() map[string]sending {
	const common = `"messageId":"m","anonymousId":"a","userId":"u","channel":"client","version":2,"projectId":"P",` +
		`"_metadata":{"bundled":["Segment.io"],"unbundled":[]},"integrations":{},"originalTimestamp":"2026-10-01T11:59:00.381Z",` +
		`"sentAt":"2026-10-01T11:59:00.382Z","receivedAt":"2026-10-01T11:59:00.405Z","timestamp":"2026-10-01T11:59:00.404Z",` +
		`"context":{"ip":"108.0.78.21","groupId":"acme","library":{"name":"analytics.js","version":"3.8.2"},"page":{"path":"/","url":"https://app.test/"}}`
	of := func(more, took string) sending { return posted("/v1/segment", `{`+more+`,`+common+`}`, took) }
	trap := func(more string) sending {
		return posted("/v1/segment", callOf(`"type":"track","event":"E",`+more), tookTracked)
	}
	deleted := sending{path: "/v1/segment", key: deletesKey, body: `{"type":"delete","channel":"server","userId":"507f191e81","context":null,"integrations":null,` +
		`"messageId":"delete-reg-6543321::job-2-P0OJ3CTID1","projectId":"P0OJ3CTID1","timestamp":"2020-05-09T23:54:49.209Z",` +
		`"receivedAt":"2020-05-09T23:54:49.209Z","sentAt":"2020-05-09T17:49:00.000Z",` +
		`"originalTimestamp":"2020-05-09 23:54:49.209808489 +0000 UTC m=+70366.298768264"}`, took: "delete user=507f191e81 at=2020-05-09T23:54:49.209Z"}
	deleted.answer = "{'success':true}"
	return map[string]sending{
		"shape track":                  of(`"type":"track","event":"E","properties":{"plan":"Pro","module":"M"}`, "track user=u account=acme feature=E module=M"),
		"shape identify":               of(`"type":"identify","traits":{"name":"N","email":"n@app.test"}`, "identify user=u account=acme"),
		"shape group":                  of(`"type":"group","groupId":"g","traits":{"name":"N","employees":329,"plan":"pro","total billed":830}`, "group user=u account=g"),
		"shape page":                   of(`"type":"page","name":"Home","category":null,"properties":{"name":"Home","referrer":""}`, "page user=u account=acme module=Home"),
		"shape screen":                 of(`"type":"screen","name":"Home","properties":{}`, "screen user=u account=acme module=Home"),
		"shape alias":                  of(`"type":"alias","previousId":"p"`, "alias user=u account=acme previous=p"),
		"shape delete":                 deleted,
		"shape delete twice":           again(deleted),
		"trap context null":            trap(`"context":null,"integrations":null`),
		"trap context array":           trap(`"context":[],"integrations":[]`),
		"trap category null":           posted("/v1/segment", callOf(`"type":"page","name":"M","category":null`), "page user=u module=M"),
		"trap trait with a space":      posted("/v1/segment", callOf(`"type":"identify","traits":{"total billed":830}`), "identify user=u"),
		"trap version a number":        trap(`"version":2`),
		"trap version a string":        trap(`"version":"1.1"`),
		"trap webhook example":         posted("/v1/segment", `{"version":1,"type":"track","userId":"u","anonymousId":"a","event":"E","properties":{"revenue":"39.95"},"timestamp":"2026-10-01T11:59:00Z"}`, tookTracked),
		"trap fields unknown":          trap(`"projectId":"P","channel":"server","_metadata":{},"whatever":[{"a":null}]`),
		"trap alias with keys damaged": rejectedOne("/v1/segment", callOf(`"type":"alias","previousId:":"p"`), 400, "previous_id_required", "alias"),
		"trap type in another case":    rejectedOne("/v1/segment", callOf(`"type":"Track","event":"E"`), 501, "type_unsupported", "Track"),
	}
}

// probes are what senders try a destination with.
func probes() map[string]sending {
	wrong := func(body string) sending {
		s := posted("/v1/segment", body, "")
		s.key = "no-such-key-00000"
		return refused(s, 401, "key_unknown")
	}
	return map[string]sending{
		"probe with an empty array":               rejectedOne("/v1/segment", "[]", 400, "empty_batch", ""),
		"probe with an empty array, unknown key":  wrong("[]"),
		"probe with an empty object":              rejectedOne("/v1/segment", "{}", 400, "type_required", ""),
		"probe with an empty object, unknown key": wrong("{}"),
		"probe with the key in the path":          withCounted(refused(sending{path: "/v1/segment/" + writeKey, body: "{}"}, 400, "type_required"), "type_required"),
		"probe with an unknown key in the path":   refused(sending{path: "/v1/segment/no-such-key-00000", body: "{}"}, 401, "key_unknown"),
	}
}
