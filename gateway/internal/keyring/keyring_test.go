package keyring_test

import (
	"testing"

	"github.com/sojournhq/sojourn/gateway/internal/keyring"
)

func TestOnlyTheExactSecretFindsItsHolder(t *testing.T) {
	var r keyring.Ring[string]
	if _, ok := r.Find(""); ok {
		t.Error("an empty ring knows the empty secret")
	}
	r.Add("old-key", "web")
	r.Add("new-key", "web")
	r.Add("other-key", "app")
	r.Add("", "nobody")
	for secret, want := range map[string]string{
		"old-key": "web", "new-key": "web", "other-key": "app", "": "", "old-ke": "", "\told-key": "", "OLD-KEY": "",
	} {
		if got, ok := r.Find(secret); got != want || ok != (want != "") {
			t.Errorf("Find(%q) = %q, %v, want %q", secret, got, ok, want)
		}
	}
}
