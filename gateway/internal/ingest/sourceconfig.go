package ingest

import "net/http"

// sourceConfig answers a client of RudderStack's that asks, before it sends anything, what its source is set to. It is told that the source
// is there, sends to no destination but the gateway that it was loaded with, and reports no figures about the client itself.
func (d *Door) sourceConfig(v *visit) answer {
	keys, _ := keysOutside(v.r)
	if a, ok := d.admit(v, keys...); !ok {
		return a
	}
	return answer{status: http.StatusOK, header: uncached(), body: rudderSettings{Source: rudderSource{
		// The client shows these in nothing that it sends. A page says nothing of the workspace but its key.
		ID: "sojourn", Name: "sojourn", WorkspaceID: "sojourn", Enabled: true, Destinations: []struct{}{},
	}}}
}

// rudderSettings is what RudderStack's clients read of a source's settings.
type rudderSettings struct {
	Source rudderSource `json:"source"`
}

type rudderSource struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	WorkspaceID string `json:"workspaceId"`
	Enabled     bool   `json:"enabled"`
	// Config says, by what it leaves out, that nothing is reported about errors and figures of the client.
	Config       struct{}   `json:"config"`
	Destinations []struct{} `json:"destinations"`
	// DataPlanes would name other hosts, by region.
	DataPlanes struct{} `json:"dataplanes"`
}
