package ingest

import (
	"net/http"
	"net/url"
)

// settings answers a client that asks, before it sends anything, for the settings of its source: analytics.js and the SDKs for telephones.
// They are told to send everything to us, nothing to anybody else, and no figures about themselves.
//
// Where it is not known how clients reach us, there are no settings. Settings without a host would be worse: analytics.js would take
// Segment's own, and send the calls there. The SDKs for telephones go on with the host that they were configured with.
func (d *Door) settings(v *visit) answer {
	key := v.r.PathValue(pathKey)
	if v.source, _ = d.sources().Find(key); v.source == nil {
		return refusal(http.StatusNotFound, "key_unknown", "there are no settings: the write key in the path is unknown")
	}
	u := d.clientURL()
	if u == nil {
		return refusal(http.StatusNotFound, "public_url_required",
			"there are no settings: start Sojourn with -public-url, such as https://calls.example.com, or set the host in the client")
	}
	return answer{
		status: http.StatusOK,
		header: uncached(),
		body:   settingsOf(key, u.Scheme, u.Host+u.Path+"/v1"),
	}
}

// uncached keeps caches from handing settings to others, and from handing out those of yesterday.
func uncached() http.Header { return http.Header{"Cache-Control": {"no-store"}} }

// ListensOn says where the gateway listens, so that clients on the same machine can be told without a PublicURL.
func (d *Door) ListensOn(u *url.URL) { d.listens.Store(u) }

// clientURL returns where clients reach the gateway, or nil where nobody said it. What a request says, in Host or in X-Forwarded headers,
// is not asked: anybody can send that.
func (d *Door) clientURL() *url.URL {
	if d.config.PublicURL != nil {
		return d.config.PublicURL
	}
	return d.listens.Load()
}

// clientSettings is what Segment's clients read of a source's settings. An integration beside our own would make analytics.js load a script
// for it from Segment, and metrics without a rate make it report to Segment.
type clientSettings struct {
	Integrations              map[string]segmentSettings `json:"integrations"`
	Plan                      map[string]struct{}        `json:"plan"`
	EdgeFunction              struct{}                   `json:"edgeFunction"`
	MiddlewareSettings        middlewareSettings         `json:"middlewareSettings"`
	EnabledMiddleware         struct{}                   `json:"enabledMiddleware"`
	Metrics                   metricsSettings            `json:"metrics"`
	RemotePlugins             []struct{}                 `json:"remotePlugins"`
	LegacyVideoPluginsEnabled bool                       `json:"legacyVideoPluginsEnabled"`
	AnalyticsNextEnabled      bool                       `json:"analyticsNextEnabled"`
}

// segmentSettings say where calls go.
type segmentSettings struct {
	APIKey                string     `json:"apiKey"`
	APIHost               string     `json:"apiHost"`
	Protocol              string     `json:"protocol"`
	AddBundledMetadata    bool       `json:"addBundledMetadata"`
	UnbundledIntegrations []struct{} `json:"unbundledIntegrations"`
}

type middlewareSettings struct {
	RoutingRules []struct{} `json:"routingRules"`
}

// metricsSettings say how many of its own figures a client sends, and where.
type metricsSettings struct {
	SampleRate float64 `json:"sampleRate"`
	Host       string  `json:"host"`
}

func settingsOf(key, protocol, apiHost string) clientSettings {
	return clientSettings{
		Integrations: map[string]segmentSettings{"Segment.io": {
			APIKey: key, APIHost: apiHost, Protocol: protocol, AddBundledMetadata: true, UnbundledIntegrations: []struct{}{},
		}},
		Plan:                 map[string]struct{}{"track": {}, "identify": {}, "group": {}},
		MiddlewareSettings:   middlewareSettings{RoutingRules: []struct{}{}},
		Metrics:              metricsSettings{SampleRate: 0, Host: apiHost},
		RemotePlugins:        []struct{}{},
		AnalyticsNextEnabled: true,
	}
}
