package segment

import (
	"sync"
	"time"
	_ "time/tzdata" // so that zones are known also where the system has none

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/timestamp"
)

// inZone returns the moment of a time without a zone: in the zone that the call's context names, or else in UTC. A client that writes one
// time without a zone writes all of them so, by one clock, and the difference between two is right whatever the zone was.
func (p *parser) inZone(ms int64, field string) (int64, error) {
	zone := p.zone()
	if zone == nil || field == "receivedAt" { // which a server writes
		p.warn("timestamp_zone_missing", field, field+" has no time zone and was taken as UTC: end it with Z or an offset")
		return ms, nil
	}
	p.warn("timestamp_zone_missing", field, field+" has no time zone and was taken as one of context.timezone: end it with Z or an offset")
	if ms = timestamp.In(ms, zone); ms < 0 || ms > call.MaxTimeMS {
		return 0, timestamp.ErrRange
	}
	return ms, nil
}

// zone returns the time zone that the call's context names, or nil.
func (p *parser) zone() *time.Location {
	name, _ := text(p.at([]string{"context", "timezone"}))
	if len(name) > maxZoneName || name == "" || name == "Local" || name == "localtime" {
		return nil // the last two would be the zone of this machine
	}
	if known, ok := zones.Load(name); ok {
		return known.(*time.Location)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	zones.Store(name, zone)
	return zone
}

// maxZoneName is how long the name of a zone may be. The longest that there is has 30 characters.
const maxZoneName = 64

// zones are those that calls have named, by name. There are some hundreds; a name that is none is not kept.
//
//nolint:gochecknoglobals // it holds what does not change
var zones sync.Map
