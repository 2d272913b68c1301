package page_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/sojournhq/sojourn/internal/kit/page"
)

func TestATokenHoldsItsPositionForItsOwnRequestOnly(t *testing.T) {
	request := structpb.NewStringValue("a")
	token, err := page.Token(request, "x", "", "y\x00z")
	if err != nil {
		t.Fatal(err)
	}
	got, err := page.Position(request, token, 3)
	if err != nil || !slices.Equal(got, []string{"x", "", "y\x00z"}) {
		t.Errorf("Position = %q, %v", got, err)
	}
	if _, err := page.Position(structpb.NewStringValue("b"), token, 3); !errors.Is(err, page.ErrToken) {
		t.Errorf("another request: %v, want ErrToken", err)
	}
	if _, err := page.Position(durationpb.New(0), token, 3); !errors.Is(err, page.ErrToken) {
		t.Errorf("another kind of request: %v, want ErrToken", err)
	}
	for _, bad := range []string{"!", token[:len(token)-3], token + "AA", "AAAA"} {
		if _, err := page.Position(request, bad, 3); !errors.Is(err, page.ErrToken) {
			t.Errorf("token %q: %v, want ErrToken", bad, err)
		}
	}
	if got, err := page.Position(request, "", 3); got != nil || err != nil {
		t.Errorf("first page: %v, %v", got, err)
	}
}

func TestPageSizesHaveADefaultAndALimit(t *testing.T) {
	for in, want := range map[int32]int{0: 100, 1: 1, 1000: 1000, 1001: 1000} {
		if got, err := page.Size(in); got != want || err != nil {
			t.Errorf("Size(%d) = %d, %v, want %d", in, got, err, want)
		}
	}
	if _, err := page.Size(-1); !errors.Is(err, page.ErrSize) {
		t.Errorf("Size(-1): %v, want ErrSize", err)
	}
}

func FuzzPositionSurvivesAnyToken(f *testing.F) {
	token, err := page.Token(structpb.NewNullValue(), "a", "b")
	if err != nil {
		f.Fatal(err)
	}
	f.Add("AAAA")
	f.Add(token)
	f.Add(token + "\n")
	f.Fuzz(func(t *testing.T, token string) {
		position, err := page.Position(structpb.NewNullValue(), token, 2)
		if err == nil && token != "" && (len(position) != 2 || strings.ContainsAny(token, "\r\n")) {
			t.Errorf("%q became %q", token, position)
		}
	})
}
