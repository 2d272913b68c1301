package grpcapi

import (
	"context"

	"google.golang.org/protobuf/types/known/durationpb"

	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

// GetSettings implements identityv1.QueryServiceServer.
func (a *API) GetSettings(_ context.Context, r *identityv1.GetSettingsRequest) (*identityv1.GetSettingsResponse, error) {
	if err := required(r.GetWorkspace(), "", nil); err != nil {
		return nil, toStatus(err)
	}
	s := a.settings(r.GetWorkspace())
	settings := &identityv1.Settings{
		Tiers:           s.Tiers,
		LifecycleStages: s.LifecycleStages,
		SessionTimeout:  durationpb.New(s.Sessions.Timeout),
		IdleCap:         durationpb.New(s.Sessions.IdleCap),
		MaxSession:      durationpb.New(s.Sessions.Max),
		KeepRejected:    durationpb.New(s.KeepRejected),
	}
	for _, d := range s.Dimensions.All() {
		settings.Dimensions = append(settings.Dimensions, toDimensionSetting(&d))
	}
	return &identityv1.GetSettingsResponse{Settings: settings}, nil
}

func toDimensionSetting(d *profile.Dimension) *identityv1.DimensionSetting {
	setting := &identityv1.DimensionSetting{Name: d.Name, Mapped: d.Mapped}
	switch d.Type {
	case profile.StringDimension:
		setting.Type = identityv1.DimensionType_DIMENSION_TYPE_STRING
	case profile.NumberDimension:
		setting.Type = identityv1.DimensionType_DIMENSION_TYPE_NUMBER
	case profile.DateDimension:
		setting.Type = identityv1.DimensionType_DIMENSION_TYPE_DATE
	}
	for _, place := range d.From {
		setting.From = append(setting.From, place.String())
	}
	return setting
}
