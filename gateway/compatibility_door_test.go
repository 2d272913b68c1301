package gateway_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// paths are where clients send calls.
func paths() map[string]sending {
	all := map[string]sending{}
	for names, c := range map[string][2]string{
		"track t":    {`"event":"E"`, "track user=u feature=E"},
		"identify i": {`"traits":{}`, "identify user=u"},
		"group g":    {`"groupId":"g"`, "group user=u account=g"},
		"page p":     {`"name":"M"`, "page user=u module=M"},
		"screen s":   {`"name":"M"`, "screen user=u module=M"},
		"alias a":    {`"previousId":"p"`, "alias user=u previous=p"},
		"delete":     {`"x":1`, "delete user=u"},
	} {
		for _, name := range strings.Fields(names) {
			for _, prefix := range []string{"/v1/", "/"} {
				all["path "+prefix+name] = sending{path: prefix + name, key: deletesKey, body: callOf(c[0]), took: c[1]}
			}
		}
		if name, _, _ := strings.Cut(names, " "); name != "delete" {
			for _, prefix := range []string{"/v1/pixel/", "/pixel/"} {
				all["path "+prefix+name] = image(prefix+name, "data="+url.QueryEscape(inBase64(callOf(c[0]+","+keyOf(writeKey)))), c[1], "")
			}
		}
	}
	for _, name := range []string{"batch", "b", "import"} {
		for _, prefix := range []string{"/v1/", "/"} {
			all["path "+prefix+name] = sending{
				path: prefix + name, key: writeKey, body: batchOf("", tracked()), took: tookTracked, answer: "'accepted':1",
			}
		}
	}
	for _, prefix := range []string{"/v1", ""} {
		all["path "+prefix+"/m"] = sending{path: prefix + "/m", body: `{"series":[]}`}
		all["path "+prefix+"/projects/KEY/settings"] = sending{
			method: http.MethodGet, path: "http://evil.test" + prefix + "/projects/" + writeKey + "/settings",
			answer: "'apiKey':'" + writeKey + "','apiHost':'calls.test/v1','protocol':'https'",
		}
	}
	all["path /v1/segment"] = sending{path: "/v1/segment", key: writeKey, body: tracked(), took: tookTracked}
	all["path /v1/segment/KEY"] = sending{path: "/v1/segment/" + writeKey, body: tracked(), took: tookTracked}
	all["path with slashes too many"] = sending{path: "/v1//batch", key: writeKey, body: batchOf("", tracked()), took: tookTracked}
	all["path with a slash at its end"] = sending{path: "/v1/batch/", key: writeKey, body: batchOf("", tracked()), took: tookTracked}
	all["path with /v1 twice"] = sending{path: "/v1/v1/batch", key: writeKey, body: batchOf("", tracked()), took: tookTracked}
	all["path with /v1 three times and a slash"] = sending{path: "/v1/v1/v1/track/", key: writeKey, body: tracked(), took: tookTracked}
	all["path with /v1 twice and a key"] = sending{path: "/v1//v1/segment/" + url.QueryEscape(colonKey), body: tracked(), took: tookTracked}
	all["path unknown"] = refused(sending{path: "/v1/merge", key: writeKey, body: tracked()}, 404, "path_unknown")
	all["path settings of an unknown key"] = refused(
		sending{method: http.MethodGet, path: "/v1/projects/no-such-key-00000/settings"}, 404, "key_unknown")
	all["path asked with another method"] = refused(sending{method: http.MethodGet, path: "/v1/track"}, 405, "method_not_allowed")
	all["pixel of single parameters"] = image("/v1/pixel/track", "writeKey="+writeKey+
		"&userId=u&anonymousId=a&event=E&properties.module=M&timestamp=2026-10-01T11:59:00Z", "track user=u feature=E module=M", "")
	all["pixel with an error"] = image("/v1/pixel/track", "writeKey="+writeKey+"&userId=u", "", "track event_required")
	all["pixel of an unknown key"] = image("/v1/pixel/track", "writeKey=no-such-key-00000", "", "")
	return all
}

// others are the paths of clients that speak Segment's language and are not Segment's.
func others() map[string]sending {
	all := map[string]sending{}
	beacon := batchOf(`"sentAt":"2026-10-01T11:59:00.5Z"`, tracked())
	for _, prefix := range []string{"/v1", ""} {
		all["rudderstack "+prefix+"/beacon/v1/batch"] = sending{
			path: prefix + "/beacon/v1/batch?writeKey=" + writeKey, header: []string{"Content-Type", "text/plain"}, body: beacon, took: tookTracked,
			answer: "'accepted':1",
		}
		all["rudderstack "+prefix+"/sourceConfig"] = sending{
			method: http.MethodGet, path: prefix + "/sourceConfig/?p=npm&v=3.34.1&build=modern&writeKey=" + writeKey, key: writeKey,
			answer: "{'source':{'id':'sojourn','name':'sojourn','workspaceId':'sojourn','enabled':true,'config':{},'destinations':[],'dataplanes':{}}}",
		}
	}
	all["rudderstack beacon of an unknown key"] = refused(sending{path: "/beacon/v1/batch?writeKey=no-such-key-00000", body: beacon}, 401, "key_unknown")
	all["rudderstack sourceConfig of an unknown key"] = refused(
		sending{method: http.MethodGet, path: "/sourceConfig/?writeKey=no-such-key-00000"}, 401, "key_unknown")
	for names, c := range map[string][2]string{
		"track t":    {`"event":"E"`, "track user=u feature=E"},
		"identify i": {`"traits":{}`, "identify user=u"},
		"group g":    {`"groupId":"g"`, "group user=u account=g"},
		"page p":     {`"name":"M"`, "page user=u module=M"},
		"screen s":   {`"name":"M"`, "screen user=u module=M"},
		"alias a":    {`"previousId":"p"`, "alias user=u previous=p"},
		"event e":    {`"type":"track","event":"E"`, "track user=u feature=E"},
	} {
		for _, name := range strings.Fields(names) {
			for _, prefix := range []string{"/api/s/", "/api/s/s2s/"} {
				all["jitsu "+prefix+name] = sending{
					path: prefix + name, header: []string{"X-Write-Key", colonKey, "X-Enable-Debug", "true", "X-IP-Policy", "remove"},
					body: callOf(c[0] + `,"writeKey":"jitsu-id-00000:***"`), took: c[1], answer: "{'success':true}",
				}
			}
		}
	}
	all["jitsu /api/s/s2s/batch"] = sending{path: "/api/s/s2s/batch", key: colonKey, body: batchOf("", tracked()), took: tookTracked, answer: "'accepted':1"}
	all["jitsu event without a type"] = withCounted(refused(
		sending{path: "/api/s/event?writekey=" + colonKey, body: callOf(`"event":"E"`)}, 400, "type_required"), "type_required")
	all["jitsu event that is a delete"] = withCounted(refused(
		sending{path: "/api/s/event?writekey=" + colonKey, body: callOf(`"type":"delete"`)}, 403, "delete_not_allowed"), "delete delete_not_allowed")
	all["jitsu path of a delete"] = refused(sending{path: "/api/s/delete", key: colonKey, body: callOf("")}, 404, "path_unknown")
	return all
}

// image is a call in the query of an image, which is answered with the image whatever becomes of it.
func image(path, query, took, counted string) sending {
	return sending{
		method: http.MethodGet, path: path + "?" + query, answer: "GIF89a", took: took, counted: counted,
		headers: map[string]string{"Content-Type": "image/gif", "Cache-Control": "no-store"},
	}
}

// auth is where keys stand.
func auth() map[string]sending {
	track := func(header string, more string) sending {
		s := sending{path: "/v1/track", body: callOf(`"event":"E"` + more), took: tookTracked}
		if header != "" {
			s.header = []string{"Authorization", header}
		}
		return s
	}
	denied := func(s sending, status int, code string) sending {
		s.took = ""
		return refused(s, status, code)
	}
	withHeader := track("", "")
	withHeader.header = []string{"X-Write-Key", writeKey}
	withColon := track("", "")
	withColon.header = []string{"X-Write-Key", colonKey}
	inQuery := func(query, key string) sending {
		s := track("", "")
		s.path += query + url.QueryEscape(key)
		return s
	}
	return map[string]sending{
		"auth basic with colon":                      track("Basic "+inBase64(writeKey+":"), ""),
		"auth basic without colon":                   track("Basic "+inBase64(writeKey), ""),
		"auth basic with password":                   track("Basic "+inBase64(writeKey+":secret"), ""),
		"auth key in the body":                       track("", ","+keyOf(writeKey)),
		"auth bearer and key":                        track("Bearer token", ","+keyOf(writeKey)),
		"auth bearer without key":                    denied(track("Bearer token", ""), 401, "key_unknown"),
		"auth header X-Write-Key":                    withHeader,
		"auth none":                                  denied(track("", ""), 401, "key_unknown"),
		"auth unknown key":                           denied(track("Basic "+inBase64("no-such-key:"), ""), 401, "key_unknown"),
		"auth unknown key in body":                   denied(track("", ","+keyOf("no-such-key")), 401, "key_unknown"),
		"auth query":                                 inQuery("?writeKey=", writeKey),
		"auth query, Jitsu's":                        inQuery("?writekey=", writeKey),
		"auth key with a colon":                      track("Basic "+inBase64(colonKey), ""),
		"auth key with a colon, as clients write it": track("Basic "+inBase64(colonKey+":"), ""),
		"auth key with a colon, its id alone":        denied(track("Basic "+inBase64("jitsu-id-00000:"), ""), 401, "key_unknown"),
		"auth key with a colon in the header":        withColon,
		"auth key with a colon in the query":         inQuery("?writekey=", colonKey),
		"auth key with a colon in the body":          track("", ","+keyOf(colonKey)),
		"auth query token":                           denied(track("Basic "+inBase64(queryToken+":"), ""), 403, "permission"),
	}
}

// bodies are how bodies may be written.
func bodies() map[string]sending {
	of := func(contentType string) sending {
		s := sending{path: "/v1/track", key: writeKey, body: callOf(`"event":"E"`), took: tookTracked}
		if contentType != "" {
			s.header = []string{"Content-Type", contentType}
		}
		return s
	}
	bad := func(s sending, status int, code string) sending {
		s.took, s.counted = "", "track "+code
		return refused(s, status, code)
	}
	encoded := func(encoding, body string) sending {
		s := of("text/plain")
		s.header, s.body = append(s.header, "Content-Encoding", encoding), body
		return s
	}
	whole := zipped(callOf(`"event":"E"`))
	unsaid := of("application/json")
	unsaid.body = whole
	damaged := func(body, counted string) sending {
		return withCounted(refused(sending{path: "/v1/track", body: body}, 400, "json_invalid"), counted)
	}
	return map[string]sending{
		"body application/json":               of("application/json"),
		"body application/json charset utf-8": of("application/json; charset=utf-8"),
		"body text/plain":                     of("text/plain"),
		"body text/plain charset UTF-8":       of("text/plain;charset=UTF-8"),
		"body without a content type":         of(""),
		"body of a form":                      of("application/x-www-form-urlencoded"),
		"body of another charset":             bad(of("application/json; charset=iso-8859-1"), 415, "charset_unsupported"),
		"body in gzip":                        encoded("gzip", whole),
		"body in gzip, cut off":               bad(encoded("gzip", whole[:len(whole)-9]), 400, "gzip_invalid"),
		"body in gzip, a bomb":                bad(encoded("gzip", zipped(strings.Repeat(" ", 10<<20))), 413, "body_too_large"),
		"body in deflate":                     bad(encoded("deflate", whole), 415, "encoding_unsupported"),
		"body in gzip twice":                  bad(encoded("gzip, gzip", zipped(whole)), 415, "encoding_unsupported"),
		"body in gzip, not said":              unsaid,
		"body unreadable":                     bad(encoded("identity", `{"a":`), 400, "json_invalid"),
		"body damaged, key in front":          damaged(`{`+keyOf(writeKey)+`,"a":undefined}`, "track json_invalid"),
		"body damaged, key behind":            damaged(`{"a":undefined,`+keyOf(writeKey)+`}`, "track json_invalid"),
		"body damaged, a customer's key":      damaged(`{"a":undefined,"properties":{`+keyOf(writeKey)+`}}`, ""),
	}
}

// crossOrigin is what browsers ask and may read.
func crossOrigin() map[string]sending {
	const site = "https://app.test"
	preflight := func(path, asked string) sending {
		return sending{
			method: http.MethodOptions, path: path, status: 204,
			header: []string{"Origin", site, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", asked},
			headers: map[string]string{
				"Access-Control-Allow-Origin": site, "Access-Control-Allow-Credentials": "true", "Access-Control-Allow-Headers": asked,
				"Access-Control-Allow-Methods": "POST, OPTIONS", "Access-Control-Max-Age": "86400",
			},
		}
	}
	readable := map[string]string{
		"Access-Control-Allow-Origin": site, "Access-Control-Allow-Credentials": "true", "Vary": "Origin",
		"Access-Control-Expose-Headers": "Retry-After, X-RateLimit-Reset, X-Request-Id",
	}
	simple := sending{
		path: "/v1/t", header: []string{"Origin", site, "Content-Type", "text/plain"}, body: callOf(`"event":"E",` + keyOf(writeKey)),
		took: tookTracked, headers: readable,
	}
	wrong := simple
	wrong.body, wrong.took = callOf(`"event":"E"`), ""
	lost := wrong
	lost.path = "/v1/merge"
	unknown := preflight("/v1/merge", "authorization")
	unknown.headers["Access-Control-Allow-Methods"] = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
	return map[string]sending{
		"cors preflight":                    preflight("/v1/t", "authorization,content-type"),
		"cors preflight of a retry":         preflight("/v1/b", "authorization,content-type,x-retry-count"),
		"cors preflight of headers unknown": preflight("/b", "x-customers-own"),
		"cors preflight of a path unknown":  unknown,
		"cors answer of a path unknown":     refused(lost, 404, "path_unknown"),
		"cors simple request":               simple,
		"cors answer that is an error":      refused(wrong, 401, "key_unknown"),
	}
}

// limits are the sizes up to which calls are taken.
func limits() map[string]sending {
	padded := func(total int) string {
		bare := callOf(`"type":"track","event":"E","properties":{"x":""}`)
		return strings.Replace(bare, `"x":""`, `"x":"`+strings.Repeat("x", total-len(bare))+`"`, 1)
	}
	spaced := func(total int) string {
		bare := batchOf("", tracked())
		return bare + strings.Repeat(" ", total-len(bare))
	}
	numbered := func(n int) []string {
		calls := make([]string, n)
		for i := range calls {
			calls[i] = strings.Replace(tracked(), `"m"`, fmt.Sprintf(`"m%d"`, i), 1)
		}
		return calls
	}
	many := func(n int) string { return strings.TrimSuffix(strings.Repeat(tookTracked+" | ", n), " | ") }
	id := func(n int) string { return strings.Replace(tracked(), `"m"`, `"`+strings.Repeat("m", n)+`"`, 1) }
	properties := strings.TrimSuffix(strings.Repeat(`"%":0,`, 3000), ",")
	for i := range 3000 {
		properties = strings.Replace(properties, "%", fmt.Sprint(i), 1)
	}
	delivery := "[" + strings.Join(numbered(10_001)[:10_000], ",") + "]"
	return map[string]sending{
		"limit call of 32 KiB":            {path: "/v1/track", key: writeKey, body: padded(32 << 10), took: tookTracked},
		"limit call over 32 KiB":          withCounted(refused(sending{path: "/v1/track", key: writeKey, body: padded(32<<10 + 1)}, 413, "body_too_large"), "track body_too_large"),
		"limit delivered call over":       withCounted(refused(sending{path: "/v1/segment", key: writeKey, body: padded(32<<10 + 1)}, 413, "call_too_large"), "track call_too_large"),
		"limit batch of 500 KiB":          {path: "/v1/batch", key: writeKey, body: spaced(500 << 10), took: tookTracked, answer: "'accepted':1"},
		"limit batch over 500 KiB":        withCounted(refused(sending{path: "/v1/batch", key: writeKey, body: spaced(500<<10 + 1)}, 413, "body_too_large"), "body_too_large"),
		"limit call in a batch over":      {path: "/v1/batch", key: writeKey, body: batchOf("", padded(32<<10+1), tracked()), took: tookTracked, answer: "'accepted':1,'rejected':[{'index':0,'messageId':'m','code':'call_too_large'", counted: "track call_too_large"},
		"limit batch of 2500 calls":       {path: "/v1/batch", key: writeKey, body: batchOf("", numbered(2500)...), took: many(2500), answer: "'accepted':2500"},
		"limit delivery of 10000 calls":   {path: "/v1/segment", key: writeKey, body: delivery, took: many(10_000), answer: "'accepted':10000"},
		"limit delivery over 10000 calls": withCounted(refused(sending{path: "/v1/segment", key: writeKey, body: "[" + strings.Join(numbered(10_001), ",") + "]"}, 413, "batch_too_long"), "batch_too_long"),
		"limit delivery of 4 MB":          {path: "/v1/segment", key: writeKey, body: "[" + tracked() + strings.Repeat(" ", 4<<20) + "]", took: tookTracked, answer: "'accepted':1"},
		"limit delivery over 5 MiB":       withCounted(refused(sending{path: "/v1/segment", key: writeKey, body: "[" + tracked() + strings.Repeat(" ", 5<<20) + "]"}, 413, "body_too_large"), "body_too_large"),
		"limit messageId of 256 bytes":    {path: "/v1/track", key: writeKey, body: id(256), took: tookTracked},
		"limit messageId over 256 bytes":  withCounted(refused(sending{path: "/v1/track", key: writeKey, body: id(257)}, 400, "message_id_invalid"), "track message_id_invalid"),
		"limit of properties":             {path: "/v1/track", key: writeKey, body: callOf(`"event":"E","properties":{` + properties + `}`), took: tookTracked},
	}
}

// withCounted adds what the books say of a request.
func withCounted(s sending, counted string) sending {
	s.counted = counted
	return s
}
