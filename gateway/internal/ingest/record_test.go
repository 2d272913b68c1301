package ingest_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/sojournhq/sojourn/internal/kit/observe"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"

	"github.com/sojournhq/sojourn/gateway/internal/backendtest"
	"github.com/sojournhq/sojourn/gateway/internal/fanout"
	"github.com/sojournhq/sojourn/gateway/internal/ingest"
	"github.com/sojournhq/sojourn/gateway/internal/limit"
)

func TestACallOfEveryTypeReachesAllThreeServices(t *testing.T) {
	const base = `"messageId":"m","anonymousId":"a","userId":"u","timestamp":"2026-10-01T11:59:00Z"`
	traits := []*segmentv1.Trait{{Path: "name", Value: &segmentv1.Value{Kind: &segmentv1.Value_String_{String_: "N"}}}}
	for path, c := range map[string]struct {
		body   string
		change func(*segmentv1.Call)
	}{
		"/v1/track": {`"event":"E","properties":{"module":"M"}`, func(c *segmentv1.Call) {
			c.Type, c.Feature, c.Module = segmentv1.CallType_CALL_TYPE_TRACK, "E", "M"
		}},
		"/v1/identify": {`"traits":{"name":"N"}`, func(c *segmentv1.Call) {
			c.Type, c.Traits = segmentv1.CallType_CALL_TYPE_IDENTIFY, traits
		}},
		"/v1/group": {`"groupId":"g","traits":{"name":"N"}`, func(c *segmentv1.Call) {
			c.Type, c.AccountId, c.Traits = segmentv1.CallType_CALL_TYPE_GROUP, "g", traits
		}},
		"/v1/page":   {`"name":"M"`, func(c *segmentv1.Call) { c.Type, c.Module = segmentv1.CallType_CALL_TYPE_PAGE, "M" }},
		"/v1/screen": {`"name":"M"`, func(c *segmentv1.Call) { c.Type, c.Module = segmentv1.CallType_CALL_TYPE_SCREEN, "M" }},
		"/v1/alias": {`"previousId":"p"`, func(c *segmentv1.Call) {
			c.Type, c.PreviousId = segmentv1.CallType_CALL_TYPE_ALIAS, "p"
		}},
		"/v1/segment": {`"type":"page","name":"M"`, func(c *segmentv1.Call) {
			c.Type, c.Module = segmentv1.CallType_CALL_TYPE_PAGE, "M"
		}},
	} {
		t.Run(path, func(t *testing.T) {
			g := open(t)
			check(t, g.post(path, webKey, `{`+base+`,`+c.body+`}`), 200, `{'success':true}`)
			at := time.Date(2026, 10, 1, 11, 59, 0, 0, time.UTC).UnixMilli()
			want := &segmentv1.Call{
				MessageId: "m", AnonymousId: "a", UserId: "u", OriginalTimeMs: at, TimeMs: at, Source: "web",
			}
			c.change(want)
			if diff := cmp.Diff([]*segmentv1.Call{want}, g.Identity.Calls(), protocmp.Transform()); diff != "" {
				t.Errorf("identity: %s", diff)
			}
			want.Traits = nil
			if diff := cmp.Diff([]*segmentv1.Call{want}, g.Events.Calls(), protocmp.Transform()); diff != "" {
				t.Errorf("events: %s", diff)
			}
			if diff := cmp.Diff([]*segmentv1.Call{want}, g.Sessions.Calls(), protocmp.Transform()); diff != "" {
				t.Errorf("sessions: %s", diff)
			}
		})
	}
}

func TestTheSecondCopyIsAnsweredLikeTheFirstAndCountsWithTheFirstsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := open(t)
		// The sender's clock is wrong, so each copy comes with another corrected time.
		wrongClock := `"sentAt":"1999-10-01T12:00:00Z",`
		moved := func(by string) string {
			return `{'success':true,'warnings':[{'code':'time_corrected','message':'the event time was moved ahead by ` + by +
				`, as much as sentAt is off the receipt: check the clock of the sender, and that sentAt is set when the call is sent','field':'sentAt'}]}`
		}
		check(t, g.post("/v1/track", webKey, trackCall("m", wrongClock)), 200, moved("2196h0m0s"))
		time.Sleep(time.Hour)
		check(t, g.post("/v1/track", webKey, trackCall("m", wrongClock)), 200, moved("2197h0m0s"))
		calls := g.Events.Calls()
		if len(calls) != 2 || calls[0].GetTimeMs() != calls[1].GetTimeMs() {
			t.Errorf("forwarded as %v", calls)
		}
		if own := g.Identity.Calls(); own[0].GetTimeMs() == own[1].GetTimeMs() {
			t.Error("both copies came with the same time, so this test shows nothing")
		}
	})
}

func TestTwoCopiesInOneBatchAreBothAccepted(t *testing.T) {
	g := open(t)
	body := `{"batch":[` + trackCall("m", "") + `,` + trackCall("m", "") + `]}`
	check(t, g.post("/v1/batch", webKey, body), 200, `{'success':true,'accepted':2,'rejected':[]}`)
}

func TestACallThatWronglySharesAnIdentityIsDroppedWithAWarning(t *testing.T) {
	g := open(t)
	g.Identity.Answer(segmentv1.Outcome_OUTCOME_CONFLICT)
	check(t, g.post("/v1/track", webKey, trackCall("m", "")), 200, `{'success':true,'warnings':[{'code':'message_id_reused','message':`+
		`'another call with this messageId and timestamp was taken before, and this one dropped: make messageIds unique',`+
		`'field':'messageId'}]}`)
	check(t, g.post("/v1/batch", webKey, `{"batch":[`+trackCall("m", "")+`]}`), 200, `'accepted':1,'rejected':[],'warnings':[{'index':0,`)
	if n := len(g.Events.Calls()) + len(g.Sessions.Calls()); n != 0 {
		t.Errorf("forwarded %d times", n)
	}
}

func TestACallThatAServiceFindsInvalidIsRejected(t *testing.T) {
	for name, service := range map[string]func(gate) *backendtest.Service{
		"identity": func(g gate) *backendtest.Service { return g.Identity },
		"events":   func(g gate) *backendtest.Service { return g.Events },
		"sessions": func(g gate) *backendtest.Service { return g.Sessions },
	} {
		t.Run(name, func(t *testing.T) {
			g := open(t)
			service(g).Answer(segmentv1.Outcome_OUTCOME_INVALID)
			check(t, g.post("/v1/track", webKey, trackCall("m", "")), 400, `{'message':'as told','code':'call_invalid'}`)
			check(t, g.post("/v1/batch", webKey, `{"batch":[`+trackCall("m", "")+`]}`), 200,
				`{'success':false,'accepted':0,'rejected':[{'index':0,'messageId':'m','code':'call_invalid','message':'as told'}]}`)
			told := g.Identity.Rejections()
			if name == "identity" { // which has counted it already
				if len(told) > 0 {
					t.Errorf("identity is told %v", told)
				}
				return
			}
			at := time.Date(1999, 10, 1, 11, 59, 0, 0, time.UTC).UnixMilli()
			if len(told) != 2 || told[0].GetAcceptedOriginalTimeMs() != at || told[0].GetMessageId() != "m" ||
				told[0].GetCode() != "call_invalid" || string(told[0].GetBody()) != trackCall("m", "") {
				t.Errorf("identity is told %v", told)
			}
			g.counted(t, `
sojourn_gateway_calls_total{outcome="duplicate",reason="call_invalid",source="web",type="track",workspace="acme"} 1
sojourn_gateway_calls_total{outcome="rejected",reason="call_invalid",source="web",type="track",workspace="acme"} 1
`)
		})
	}
}

func TestIdentityIsToldWhatWasRefusedAsItWasSentAndWhatShouldBeFixedAboutTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := open(t)
		const wrong = `{"type":"track","messageId":"w","anonymousId":"a","userId":"u","timestamp":"1999-10-01T11:59:00Z","writeKey":"`
		body := `{"batch":[` + trackCall("good", "") + `,` + wrong + webKey + `"},` + trackCall("meant", `"groupId":"null",`) + `]}`
		check(t, g.post("/v1/batch", webKey, body), 200, `'accepted':2`)
		request := g.Identity.Requests()[0].(*identityv1.RecordCallsRequest)
		want := &identityv1.RecordCallsRequest{
			Workspace: "acme", ReceivedMs: time.Now().UnixMilli(),
			Warnings: []*identityv1.CallWarnings{{Index: 1, Warnings: []*identityv1.Warning{{Code: "group_id_absent", Field: "groupId"}}}},
			Rejections: []*identityv1.Rejection{{
				Source: "web", Type: "track", Code: "event_required", Field: "event", MessageId: "w", UserId: "u",
				TimeMs: time.Date(1999, 10, 1, 11, 59, 0, 0, time.UTC).UnixMilli(), Body: []byte(wrong + `***"}`), BodyBytes: int64(len(wrong) + 5),
			}},
		}
		if diff := cmp.Diff(want, request, protocmp.Transform(), protocmp.IgnoreFields(&identityv1.RecordCallsRequest{}, "calls"),
			protocmp.IgnoreFields(&identityv1.Rejection{}, "fingerprint", "message")); diff != "" {
			t.Error(diff)
		}
		if got := request.GetRejections()[0].GetMessage(); got == "" {
			t.Error("no message")
		}
	})
}

func TestOfALongBodyTheBeginningIsToldAndHowLongItIs(t *testing.T) {
	g := openWith(t, func(c *ingest.Config) { c.MaxCallBytes, c.MaxBatchBytes = 50_000, 50_000 })
	check(t, g.post("/v1/batch", webKey, `{"batch":[`+strings.Repeat(" ", 60_000)+`]}`), 413, `body_too_large`)
	check(t, g.post("/v1/batch", webKey, `{"batch":[`+strings.Repeat(" ", 40_000)+`]}`), 400, `empty_batch`)
	for i, want := range []int64{50_000, 40_012} {
		told := g.Identity.Rejections()[i]
		if told.GetBodyBytes() != want || len(told.GetBody()) != 32<<10 {
			t.Errorf("told of %d bytes and %d", told.GetBodyBytes(), len(told.GetBody()))
		}
	}
}

func TestNothingIsAnswered200ThatAServiceDidNotStore(t *testing.T) {
	for code, want := range map[codes.Code]struct {
		status int
		body   string
	}{
		codes.Unavailable:       {503, `'code':'unavailable'`},
		codes.ResourceExhausted: {503, `'code':'unavailable'`},
		codes.DeadlineExceeded:  {503, `'code':'unavailable'`},
		codes.Aborted:           {503, `'code':'unavailable'`},
		codes.Internal:          {500, `{'message':'internal error','code':'internal'}`},
		codes.InvalidArgument:   {500, `{'message':'internal error','code':'internal'}`},
		codes.Unknown:           {500, `{'message':'internal error','code':'internal'}`},
	} {
		for _, name := range []string{"identity", "events", "sessions"} {
			t.Run(name+" "+code.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					g := open(t)
					service := map[string]*backendtest.Service{"identity": g.Identity, "events": g.Events, "sessions": g.Sessions}[name]
					service.Fail(func(context.Context) error { return status.Error(code, "secret cause") })
					check(t, g.post("/v1/track", webKey, trackCall("m", "")), want.status, want.body)
					service.Fail(nil)
					check(t, g.post("/v1/track", webKey, trackCall("m", "")), 200, `{'success':true}`)
				})
			})
		}
	}
}

func TestAServiceThatIsAwayForAMomentIsTriedAgainWithinTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := open(t)
		for _, s := range []*backendtest.Service{g.Identity, g.Events, g.Sessions} {
			s.Fail(func(context.Context) error {
				if len(s.Requests()) < 3 {
					return status.Error(codes.Unavailable, "restarting")
				}
				return nil
			})
		}
		check(t, g.post("/v1/track", webKey, trackCall("m", "")), 200, `{'success':true}`)
	})
}

func TestAServiceThatHangsIsAnsweredForWhenTheDeadlineEnds(t *testing.T) {
	for _, name := range []string{"identity", "events", "sessions"} {
		synctest.Test(t, func(t *testing.T) {
			g := open(t)
			service := map[string]*backendtest.Service{"identity": g.Identity, "events": g.Events, "sessions": g.Sessions}[name]
			service.Fail(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
			begin := time.Now()
			check(t, g.post("/v1/track", webKey, trackCall("m", "")), 503, `'code':'unavailable'`)
			if took := time.Since(begin); took != 4*time.Second {
				t.Errorf("%s: answered after %v", name, took)
			}
		})
	}
}

func TestWhatHasBegunIsFinishedWhenTheSenderHasGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := open(t)
		ctx, leave := context.WithCancel(t.Context())
		g.Identity.Fail(func(context.Context) error { leave(); return nil })
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/v1/track", strings.NewReader(trackCall("m", "")))
		r.SetBasicAuth(webKey, "")
		g.do(r)
		if events, sessions := len(g.Events.Calls()), len(g.Sessions.Calls()); events != 1 || sessions != 1 {
			t.Errorf("events has %d calls and sessions %d of the one that identity accepted", events, sessions)
		}
	})
}

func TestWhatHasBegunEndsAtTheDeadlineAlsoWhenTheSenderHasGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := open(t)
		ctx, leave := context.WithCancel(t.Context())
		g.Events.Fail(func(ctx context.Context) error { leave(); <-ctx.Done(); return ctx.Err() })
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/v1/track", strings.NewReader(trackCall("m", "")))
		r.SetBasicAuth(webKey, "")
		begin := time.Now()
		g.do(r)
		if took := time.Since(begin); took != 4*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestARejectionThatCannotBeCountedIsNotAnsweredYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := open(t)
		g.Identity.Fail(func(context.Context) error { return status.Error(codes.Unavailable, "away") })
		for path, body := range map[string]string{
			"/v1/track": `{}`, "/v1/batch": `{"batch":[]}`, "/v1/page": strings.Repeat("x", 3000), "/v1/segment": `[1]`,
		} {
			check(t, g.post(path, webKey, body), 503, `'code':'unavailable'`)
		}
	})
}

func TestAPanicIsAnsweredWithConstantText(t *testing.T) {
	limits, mux := newLimits(t), http.NewServeMux()
	door, err := ingest.New(ingest.Config{
		Workspaces: workspaces(), MaxCallBytes: 2000, MaxBatchBytes: 2000, Deadline: time.Second, Limits: limits,
	}, nil, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	door.Register(mux)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/track", strings.NewReader(trackCall("m", "")))
	r.SetBasicAuth(webKey, "")
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	check(t, w, 500, `{'message':'internal error','code':'internal'}`)
}

// broken is a connection over which every request panics, as a bug in what is sent or read would.
type broken struct{ grpc.ClientConnInterface }

func (broken) Invoke(context.Context, string, any, any, ...grpc.CallOption) error { panic("secret") }

func TestAPanicWhileServicesAreAskedEndsOneRequestAndNotTheProcess(t *testing.T) {
	services, limits, log, metrics := backendtest.Start(t), newLimits(t), &bytes.Buffer{}, prometheus.NewRegistry()
	door, err := ingest.New(ingest.Config{
		Workspaces: workspaces(), MaxCallBytes: 2000, MaxBatchBytes: 2000, Deadline: time.Second, Limits: limits,
	}, fanout.New(services.Identity.Conn, broken{}, services.Sessions.Conn),
		observe.Deps{Log: slog.New(slog.NewJSONHandler(log, nil)), Metrics: metrics})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	door.Register(mux)
	g := gate{Handler: mux}
	check(t, g.post("/v1/track", webKey, trackCall("m", "")), 500, `{'message':'internal error','code':'internal'}`)
	if got := log.String(); !strings.Contains(got, `"panic":"string"`) || !strings.Contains(got, "broken.Invoke") || strings.Contains(got, "secret\"") {
		t.Errorf("logged %s", got)
	}
	check(t, g.post("/v1/track", "no-such-key-00000", trackCall("m", "")), 401, `key_unknown`)
	// The books still balance: what has no outcome is known to have none.
	if err := testutil.GatherAndCompare(metrics, strings.NewReader(`
# HELP sojourn_gateway_calls_received_total Calls that came in from known sources, every attempt counted.
# TYPE sojourn_gateway_calls_received_total counter
sojourn_gateway_calls_received_total{source="web",workspace="acme"} 1
# HELP sojourn_gateway_calls_unsettled_total Calls among them that were answered to be sent again: a service was away, late or wrong.
# TYPE sojourn_gateway_calls_unsettled_total counter
sojourn_gateway_calls_unsettled_total{source="web",workspace="acme"} 1
`), "sojourn_gateway_calls_received_total", "sojourn_gateway_calls_unsettled_total"); err != nil {
		t.Error(err)
	}
}

func newLimits(t *testing.T) *limit.Limits {
	t.Helper()
	limits, err := limit.New(limit.Config{}, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return limits
}

func TestEveryCallIsCountedOnceWithWhatBecameOfIt(t *testing.T) {
	g := open(t)
	g.post("/v1/track", webKey, trackCall("m0", ""))
	g.post("/v1/batch", webKey, `{"batch":[`+trackCall("m0", "")+`,`+trackCall("m1", "")+`,{"type":"made up"},1]}`)
	g.post("/v1/track", otherKey, `{`)
	g.post("/v1/track", "no-such-key-00000", `{}`)
	g.Sessions.Fail(func(context.Context) error { return status.Error(codes.Internal, "broken") })
	g.post("/v1/track", webKey, trackCall("m2", ""))
	g.post("/v1/track", otherKey, `{`)
	g.Identity.Answer(segmentv1.Outcome_OUTCOME_CONFLICT)
	g.post("/v1/track", otherKey, trackCall("m3", ""))
	g.counted(t, `
sojourn_gateway_calls_total{outcome="accepted",reason="",source="web",type="track",workspace="acme"} 2
sojourn_gateway_calls_total{outcome="duplicate",reason="",source="web",type="track",workspace="acme"} 1
sojourn_gateway_calls_total{outcome="duplicate",reason="json_invalid",source="web",type="track",workspace="other"} 1
sojourn_gateway_calls_total{outcome="duplicate",reason="message_id_reused",source="web",type="track",workspace="other"} 1
sojourn_gateway_calls_total{outcome="rejected",reason="call_not_object",source="web",type="unknown",workspace="acme"} 1
sojourn_gateway_calls_total{outcome="rejected",reason="json_invalid",source="web",type="track",workspace="other"} 1
sojourn_gateway_calls_total{outcome="rejected",reason="type_unsupported",source="web",type="other",workspace="acme"} 1
`)
	if err := testutil.GatherAndCompare(g.metrics, strings.NewReader(`
# HELP sojourn_gateway_requests_total Requests for calls, by route and HTTP status.
# TYPE sojourn_gateway_requests_total counter
sojourn_gateway_requests_total{code="200",route="/v1/batch"} 1
sojourn_gateway_requests_total{code="200",route="/v1/track"} 2
sojourn_gateway_requests_total{code="400",route="/v1/track"} 2
sojourn_gateway_requests_total{code="401",route="/v1/track"} 1
sojourn_gateway_requests_total{code="500",route="/v1/track"} 1
`), "sojourn_gateway_requests_total"); err != nil {
		t.Error(err)
	}
}

func TestASecondDoorOnOneRegistryIsAnError(t *testing.T) {
	d := observe.Deps{Log: observe.Discard().Log, Metrics: prometheus.NewRegistry()}
	c := ingest.Config{Workspaces: workspaces()}
	if _, err := ingest.New(c, nil, d); err != nil {
		t.Fatal(err)
	}
	if _, err := ingest.New(c, nil, d); err == nil {
		t.Error("no error")
	}
}

// counted compares the counters of calls, which follow the books.
func (g gate) counted(t *testing.T, want string) {
	t.Helper()
	const name = "sojourn_gateway_calls_total"
	families, err := g.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	help := ""
	for _, family := range families {
		if family.GetName() == name {
			help = family.GetHelp()
		}
	}
	want = "# HELP " + name + " " + help + "\n# TYPE " + name + " counter" + want
	if err := testutil.GatherAndCompare(g.metrics, strings.NewReader(want), name); err != nil {
		t.Error(err)
	}
}
