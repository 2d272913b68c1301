package servicetoken_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sojournhq/sojourn/internal/kit/servicetoken"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, text string) (*servicetoken.Tokens, string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tokens")
	write(t, path, text)
	tokens, err := servicetoken.Open(path, slog.New(slog.DiscardHandler))
	return tokens, path, err
}

func sent(t *testing.T, tokens *servicetoken.Tokens) string {
	t.Helper()
	got, err := tokens.GetRequestMetadata(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return got["authorization"]
}

const (
	first  = "first-token-00000000"
	second = "second-token-0000000"
)

func TestEveryLineIsValidAndTheFirstIsSent(t *testing.T) {
	tokens, _, err := open(t, "# of both sides\n\n  "+first+" \r\n"+second)
	if err != nil {
		t.Fatal(err)
	}
	if got := sent(t, tokens); got != "Bearer "+first {
		t.Errorf("sent %q", got)
	}
	for token, want := range map[string]bool{first: true, second: true, "": false, "# of both sides": false, first + " ": false, first[1:]: false} {
		if got := tokens.Valid(token); got != want {
			t.Errorf("%q: valid %v, want %v", token, got, want)
		}
	}
}

func TestAChangedFileCountsWhileRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens, path, err := open(t, first)
		if err != nil {
			t.Fatal(err)
		}
		write(t, path, second+"\n"+first)
		for range 3 {
			time.Sleep(time.Second)
			_ = tokens.Valid("")
		}
		if got := sent(t, tokens); got != "Bearer "+second || !tokens.Valid(first) || !tokens.Valid(second) {
			t.Errorf("sent %q", got)
		}
		write(t, path, second)
		for range 3 {
			time.Sleep(time.Second)
			_ = tokens.Valid("")
		}
		if tokens.Valid(first) {
			t.Error("the token that is no longer there is valid")
		}
	})
}

func TestAWrongFileIsRefusedWithoutShowingTokens(t *testing.T) {
	for text, want := range map[string]string{
		"": "holds no token", "# only\n\n": "holds no token", "secret-token": "line 1 is shorter than 16",
		first + "\nsecret token with spaces": "line 2 holds a space or", first + "\nsecret-tökens-000000": "line 2 holds a space or",
	} {
		if _, _, err := open(t, text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := servicetoken.Open(filepath.Join(t.TempDir(), "missing"), slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a missing file is taken")
	}
}
