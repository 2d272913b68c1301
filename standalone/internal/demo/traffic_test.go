package demo_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/standalone/internal/demo"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestTheDemoIsASmallCompanyOfBelievableSize(t *testing.T) {
	accounts, users, modules, features, types := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]int{}
	copies := map[string]int{}
	var previous time.Time
	late := 0
	for _, c := range demo.Traffic(1, noon) {
		types[c.Type]++
		copies[c.MessageID]++
		users[c.UserID] = true
		accounts[c.GroupID] = true
		if c.Event != "" {
			features[c.Event] = true
			if module, ok := c.Properties["module"].(string); ok {
				modules[module] = true
			}
		}
		if c.Timestamp.Before(previous) {
			late++
		}
		previous = c.Timestamp
		if c.Timestamp.After(noon) {
			t.Fatalf("a call from the future: %v", c.Timestamp)
		}
	}
	duplicates := 0
	for _, n := range copies {
		duplicates += n - 1
	}
	for name, got := range map[string]struct{ n, low, high int }{
		"accounts":       {len(accounts) - 1, 20, 20},
		"users":          {len(users) - 1, 300, 300},
		"modules":        {len(modules), 8, 8},
		"features":       {len(features), 58, 60},
		"group calls":    {types["group"], 20, 25},
		"identify calls": {types["identify"], 300, 360},
		"track calls":    {types["track"], 5_000, 60_000},
		"page calls":     {types["page"], 1_000, 30_000},
		"duplicates":     {duplicates, 300, 5_000},
		"late calls":     {late, 1, 5_000},
	} {
		if got.n < got.low || got.n > got.high {
			t.Errorf("%d %s, want %d to %d", got.n, name, got.low, got.high)
		}
	}
}

func TestTheSameDayGivesTheSameCalls(t *testing.T) {
	morning := demo.Traffic(1, noon.Add(-3*time.Hour))
	again := demo.Traffic(1, noon)
	byID := map[string]demo.Call{}
	for _, c := range again {
		byID[c.MessageID] = c
	}
	for _, c := range morning {
		if !reflect.DeepEqual(byID[c.MessageID], c) {
			t.Fatalf("call %+v became %+v", c, byID[c.MessageID])
		}
	}
	if len(again) <= len(morning) {
		t.Errorf("%d calls at noon, %d in the morning", len(again), len(morning))
	}
}
