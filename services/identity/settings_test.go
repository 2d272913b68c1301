package identity_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	"github.com/sojournhq/sojourn/services/identity"
)

// changing is a configuration of workspace w that a test changes.
type changing struct {
	atomic.Pointer[workspace.Config]
}

func (c *changing) Config() *workspace.Config { return c.Load() }

func (c *changing) set(w workspace.Workspace) {
	w.ID = "w"
	c.Store(&workspace.Config{AdminTokens: workspace.NewSecrets("secret"), Workspaces: []workspace.Workspace{w}})
}

func (c *client) settings(workspace string) *identityv1.Settings {
	c.t.Helper()
	got, err := c.GetSettings(c.t.Context(), &identityv1.GetSettingsRequest{Workspace: workspace})
	if err != nil {
		c.t.Fatal(err)
	}
	return got.GetSettings()
}

func TestSettingsAreToldAsTheyAreNow(t *testing.T) {
	var config changing
	config.set(workspace.Workspace{})
	c, _ := serve(t, open(t, t.TempDir(), identity.SettingsOf(&config)))
	defaults := &identityv1.Settings{
		SessionTimeout: durationpb.New(30 * time.Minute), IdleCap: durationpb.New(5 * time.Minute), MaxSession: durationpb.New(24 * time.Hour),
		KeepRejected: durationpb.New(7 * 24 * time.Hour),
	}
	if diff := cmp.Diff(defaults, c.settings("w"), protocmp.Transform()); diff != "" {
		t.Errorf("nothing set: %s", diff)
	}
	config.set(workspace.Workspace{
		QueryTokens: workspace.NewSecrets("secret"), Sources: []workspace.Source{{ID: "web", WriteKeys: workspace.NewSecrets("secret")}},
		Tiers: []string{"gold", "silver"}, LifecycleStages: []string{"live"}, IdleCap: new(workspace.Duration(time.Minute)),
		KeepRejected: new(workspace.Duration(time.Hour)),
		Dimensions: []workspace.Dimension{
			{Name: "Size", Type: workspace.Number, From: []string{"identify.company.size", "group.size"}},
			{Name: "Plan", Type: workspace.String, From: []string{`group.a\.plan`}},
			{Name: "Renewal", Type: workspace.Date, From: []string{"group.renewal"}},
		},
	})
	want := &identityv1.Settings{
		Tiers: []string{"gold", "silver"}, LifecycleStages: []string{"live"},
		Dimensions: []*identityv1.DimensionSetting{
			{Name: "Size", Type: identityv1.DimensionType_DIMENSION_TYPE_NUMBER, From: []string{"identify.company.size", "group.size"}},
			{Name: "Plan", Type: identityv1.DimensionType_DIMENSION_TYPE_STRING, From: []string{`group.a\.plan`}},
			{Name: "Renewal", Type: identityv1.DimensionType_DIMENSION_TYPE_DATE, From: []string{"group.renewal"}},
		},
		SessionTimeout: durationpb.New(30 * time.Minute), IdleCap: durationpb.New(time.Minute), MaxSession: durationpb.New(24 * time.Hour),
		KeepRejected: durationpb.New(time.Hour),
	}
	if diff := cmp.Diff(want, c.settings("w"), protocmp.Transform()); diff != "" {
		t.Errorf("all set: %s", diff)
	}
	if diff := cmp.Diff(defaults, c.settings("another"), protocmp.Transform()); diff != "" {
		t.Errorf("a workspace that is not configured: %s", diff)
	}
}
