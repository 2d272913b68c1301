package mention_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/services/identity/internal/mention"
)

func TestANameIsFoundWhereverItStands(t *testing.T) {
	for body, name := range map[string]string{
		`{"userId":"alice"}`:                         "alice",
		`{"userId":" alice "}`:                       "alice",
		`{"userId":12345}`:                           "12345",
		`{"userId":"Alice Smith"}`:                   "Alice Smith",
		`{"userId":"alice@example.com","x":1}`:       "alice@example.com",
		`{"userId":"\u0061lice"}`:                    "alice",
		`{"userId":"a\/b"}`:                          "a/b",
		`{"userId":"say \"hi\""}`:                    `say "hi"`,
		`{"userId":"\ud83d\ude00"}`:                  "😀",
		`{"url":"https://x.test/users/alice?tab=1"}`: "alice",
		`{"userId: "alice", "x":"y"}`:                "alice", // a quote is missing
		`userId=alice&event=E`:                       "alice",
		`alice`:                                      "alice",
		`{"userId":"alice`:                           "alice",
		"{\"userId\":\"\xff\xfe\"}":                  "\xff\xfe",
	} {
		if !slices.Contains(slices.Collect(mention.Names([]byte(body), 512)), name) {
			t.Errorf("%s: %q is not among the names", body, name)
		}
		if got := mention.New("other", name, "another").In([]byte(body)); !slices.Equal(got, []string{name}) {
			t.Errorf("%s: found %q, want %q", body, got, name)
		}
	}
}

func TestAnIDIsNotFoundInALongerOneUnlessItIsLong(t *testing.T) {
	body := []byte(`{"userId":"1234567890x","n":42}`)
	if got := mention.New("1", "12345", "4", "x").In(body); len(got) > 0 {
		t.Errorf("found %q", got)
	}
	if got := mention.New("4567890").In(body); !slices.Equal(got, []string{"4567890"}) {
		t.Errorf("found %q", got)
	}
	if got := mention.New("abcdefg").In([]byte(`x\u0061bcdefgh`)); !slices.Equal(got, []string{"abcdefg"}) {
		t.Errorf("escaped: found %q", got)
	}
}

func TestNamesAreNoLongerThanIDsCanBe(t *testing.T) {
	for name := range mention.Names([]byte(`{"a":"`+strings.Repeat("x", 100)+`"}`), 99) {
		if len(name) > 99 {
			t.Errorf("%d bytes", len(name))
		}
	}
}

func TestOfABodyThatWasCutNoHalfNameIsLeft(t *testing.T) {
	for cut, want := range map[string]string{
		`{"a":"b","userId":"ali`:   `{"a":"b","userId":`,
		`{"a":"b","userId":"ali\`:  `{"a":"b","userId":`,
		`{"a":"b","userId":123`:    `{"a":"b","userId":`,
		`{"a":"b","userId":"ali",`: `{"a":"b","userId":"ali",`,
		`{"a":"b\"c","x":"y"`:      `{"a":"b\"c","x":"y"`,
		`userId=ali`:               `userId=`,
		`alice`:                    ``,
		``:                         ``,
	} {
		if got := string(mention.Whole([]byte(cut))); got != want {
			t.Errorf("%s: %s, want %s", cut, got, want)
		}
	}
}

func FuzzAnyBytes(f *testing.F) {
	f.Add([]byte(`{"userId":"\ud83d\u00`), "a")
	f.Add([]byte(`\`), `\`)
	f.Fuzz(func(t *testing.T, body []byte, id string) {
		for name := range mention.Names(body, 512) {
			if name == "" {
				t.Error("an empty name")
			}
		}
		if whole := mention.Whole(body); len(whole) > len(body) {
			t.Error("longer than it was")
		}
		if id == "" {
			return
		}
		found := slices.Contains(mention.New(id).In(body), id)
		if len(id) >= 6 && strings.Contains(string(body), id) && !found {
			t.Errorf("%q is in %q and was not found", id, body)
		}
	})
}
