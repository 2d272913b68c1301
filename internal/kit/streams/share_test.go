package streams_test

import (
	"slices"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/streams"
)

// taken returns how many of so many places each tenant gets that asks again and again, in turn.
func taken(places, tenants int) []int {
	held := make([]int, tenants)
	for range places {
		for i := range held {
			if streams.Share(held[i], places) {
				held[i]++
				places--
			}
		}
	}
	return held
}

func TestHoweverManyPlacesTenantsAskForSomeStayFreeForTheNext(t *testing.T) {
	for tenants, want := range map[int][]int{1: {51}, 2: {28, 28}, 3: {20, 20, 19}} {
		got, left := taken(64, tenants), 64
		if !slices.Equal(got, want) {
			t.Errorf("%d tenants got %d places of 64, want %d", tenants, got, want)
		}
		for _, n := range got {
			left -= n
		}
		if !streams.Share(0, left) {
			t.Errorf("beside %d tenants nothing is left for another", tenants)
		}
	}
	if streams.Share(0, 0) || streams.Share(3, -1) {
		t.Error("a place was given that there is not")
	}
}
