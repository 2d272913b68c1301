package gateway_test

import "strings"

// values are times, ids, names and numbers as clients write them that do not keep to a standard.
func values() map[string]sending {
	timed := func(times string) string {
		return `{"type":"track","event":"E","messageId":"m","anonymousId":"a","userId":"u",` + times + `}`
	}
	answered := func(s sending, part string) sending {
		s.answer = part
		return s
	}
	warned := func(s sending, code string) sending { return answered(s, "'code':'"+code+"'") }
	loose := func(id string) sending {
		return sending{path: "/v1/track", key: writeKey, body: strings.Replace(tracked(), `"u"`, id, 1), took: "track feature=E"}
	}
	const at = tookTracked + " at=2019-06-21T17:35:47.000Z"
	number := `"properties": {"module": "M", "score": NaN, "list": [1, -Infinity], "name": "\ud83d\ude00"}`
	python := sending{
		path: "/v1/batch", body: zipped(batchOf(keyOf(writeKey), callOf(`"type": "track", "event": "E", `+number), tracked())),
		header: []string{"Content-Type", "application/json", "Content-Encoding", "gzip"}, took: tookTracked + " module=M | " + tookTracked,
		answer: "'accepted':2,'rejected':[],'warnings':[{'index':0,'code':'number_not_json'",
	}
	return map[string]sending{
		"times as Go prints them": answered(
			posted("/v1/track", timed(`"originalTimestamp":"2019-06-21 19:35:47 +0200 CEST m=+0.012345678"`), at), "{'success':true}\n"),
		"times original unreadable": warned(
			posted("/v1/track", timed(`"originalTimestamp":"last June","timestamp":"2019-06-21T17:35:47Z"`), at), "original_timestamp_invalid"),
		"times without a zone": warned(posted("/v1/track", timed(`"timestamp":"2019-06-21 17:35:47"`), at), "timestamp_zone_missing"),
		"times without a zone, with a timezone": warned(posted("/v1/track", timed(`"timestamp":"2019-06-21T19:35:47",`+
			`"sentAt":"2019-06-21T17:35:48Z","receivedAt":"2019-06-21T17:35:49Z","context":{"timezone":"Europe/Berlin"}`), at), "timestamp_zone_missing"),
		"times without a zone, timezone of the batch": warned(posted("/v1/batch", batchOf(`"context":{"timezone":"Europe/Berlin"}`,
			timed(`"timestamp":"2019-06-21T19:35:47"`)), at), "timestamp_zone_missing"),
		"times without a zone, timezone unknown": warned(posted("/v1/track", timed(`"timestamp":"2019-06-21T17:35:47",`+
			`"context":{"timezone":"Mars/Olympus"}`), at), "timestamp_zone_missing"),
		"times 0":      rejectedOne("/v1/track", timed(`"timestamp":0`), 400, "timestamp_invalid", "track"),
		"times a year": rejectedOne("/v1/track", timed(`"timestamp":2026`), 400, "timestamp_invalid", "track"),

		"ids null of other languages": warned(loose(`"(null)"`), "user_id_absent"),
		"ids nil of Go":               warned(loose(`"<nil>"`), "user_id_absent"),
		"ids a promise":               warned(loose(`"[object Promise]"`), "user_id_absent"),
		"ids not filled in":           warned(loose(`"{{ user.id }}"`), "user_id_absent"),
		"ids not filled in, dollar":   warned(loose(`"${userId}"`), "user_id_absent"),

		"names with space":           posted("/v1/track", callOf(`"event":" E ","properties":{"module":"Billing "}`), "track user=u feature=E module=Billing"),
		"names of a page with space": posted("/v1/page", callOf(`"category":" ","name":" Billing\n"`), "page user=u module=Billing"),

		"client analytics-python, NaN": python,
		"batch with NaN": answered(posted("/v1/batch", batchOf("", callOf(`"type":"track","event":"E","x":[{"y":NaN}]`), tracked()),
			tookTracked+" | "+tookTracked), "'accepted':2,'rejected':[],'warnings':[{'index':0,'code':'number_not_json'"),
		"batch with NaN in its context": answered(posted("/v1/batch", batchOf(`"context":{"groupId":"acme","score":Infinity}`, tracked()),
			tookTrackedAt("acme")), "'warnings':[{'code':'number_not_json','message':'context holds"),
		"rejected unreadable, key behind": withCounted(
			refused(sending{path: "/v1/batch", body: `{"batch":[{"x":nan}],` + keyOf(writeKey) + `}`}, 400, "json_invalid"), "json_invalid"),
	}
}
