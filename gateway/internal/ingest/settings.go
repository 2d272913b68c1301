package ingest

import "net/http"

// settings answers a client that asks, before it sends anything, for the settings of its source: analytics.js and the SDKs for telephones.
// They are told to send everything to us, nothing to anybody else, and no figures about themselves.
func (d *Door) settings(v *visit) answer {
	key := v.r.PathValue(pathKey)
	if v.source, _ = d.sources().Find(key); v.source == nil {
		return refusal(http.StatusNotFound, "key_unknown", "there are no settings: the write key in the path is unknown")
	}
	protocol, host := d.publicHost(v.r)
	return answer{
		status: http.StatusOK,
		// The settings lead to where they were asked for, so no cache may hand them to others.
		header: http.Header{"Cache-Control": {"no-store"}},
		body:   settingsOf(key, protocol, host+"/v1"),
	}
}

// publicHost returns where clients reach the gateway. What a proxy says in X-Forwarded headers is not asked, since anybody can send them.
func (d *Door) publicHost(r *http.Request) (protocol, host string) {
	if u := d.config.PublicURL; u != nil {
		return u.Scheme, u.Host + u.Path
	}
	if r.TLS != nil {
		return "https", r.Host
	}
	return "http", r.Host
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
