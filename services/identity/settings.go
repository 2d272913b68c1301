package identity

import (
	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/services/identity/internal/grpcapi"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

// Settings are what one workspace is set to: which names an account's tier and lifecycle stage may have, its dimensions, for how long
// rejected calls are kept, and, only to be told to those who ask, its session settings.
type Settings = grpcapi.Settings

// SettingsOf returns the settings of each workspace, as Config takes them. They change with the configuration.
func SettingsOf(from workspace.Provider) func(workspace string) Settings {
	return workspace.Each(from, settingsOf)
}

func settingsOf(w *workspace.Workspace) Settings {
	return Settings{
		Settings: profile.Settings{
			Tiers: w.Tiers, LifecycleStages: w.LifecycleStages, Dimensions: profile.NewDimensions(dimensionsOf(w)),
		},
		Sessions:     w.Sessions(),
		KeepRejected: w.KeepRejectedFor(),
	}
}

func dimensionsOf(w *workspace.Workspace) []profile.Dimension {
	types := map[workspace.DimensionType]profile.DimensionType{
		workspace.String: profile.StringDimension, workspace.Number: profile.NumberDimension, workspace.Date: profile.DateDimension,
	}
	mapped := w.Mapped()
	dimensions := make([]profile.Dimension, 0, len(w.Dimensions))
	for i := range w.Dimensions {
		d := &w.Dimensions[i]
		dimensions = append(dimensions, profile.Dimension{Name: d.Name, Type: types[d.Type], From: d.Places(), Mapped: mapped[d.Name]})
	}
	return dimensions
}
