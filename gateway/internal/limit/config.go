package limit

import (
	"errors"
	"flag"
	"fmt"
)

// What Config means where it says 0.
const (
	DefaultRequests    = 1024
	DefaultBodyBytes   = 64 << 20
	DefaultWorkBytes   = 8 << 20
	DefaultQuestions   = 256
	DefaultConnections = 4096
)

// Config is how much a gateway takes on at once, of all workspaces together. 0: the default.
type Config struct {
	// Connections is how many connections may be open.
	Connections int
	// Requests is how many requests for calls may be under way.
	Requests int
	// BodyBytes is how much memory the bodies of those requests may take.
	BodyBytes int
	// WorkBytes is how many bytes of bodies may be parsed and stored at once, at most: while that takes too long, it is less.
	WorkBytes int
	// Questions is how many questions may be under way, answers that go on until their reader leaves not counted.
	Questions int
}

// limits returns every limit with its flag and its default.
func (c *Config) limits() []setting {
	return []setting{
		{&c.Connections, "max-connections", DefaultConnections, "how many connections may be open"},
		{&c.Requests, "max-requests", DefaultRequests, "how many requests for calls may be under way"},
		{&c.BodyBytes, "max-body-memory", DefaultBodyBytes, "how many bytes the bodies of requests under way may take in memory"},
		{
			&c.WorkBytes, "max-work", DefaultWorkBytes,
			"how many bytes of bodies may be parsed and stored at once; less while that takes too long",
		},
		{&c.Questions, "max-questions", DefaultQuestions, "how many questions may be under way"},
	}
}

type setting struct {
	value        *int
	flag         string
	defaultValue int
	help         string
}

// Flags adds a flag for each limit to flags.
func (c *Config) Flags(flags *flag.FlagSet) {
	for _, s := range c.limits() {
		flags.IntVar(s.value, s.flag, s.defaultValue, s.help)
	}
}

// Check returns an error for every flag whose limit leaves room for nothing.
func (c *Config) Check() error {
	var problems []error
	for _, s := range c.limits() {
		if *s.value < 1 {
			problems = append(problems, fmt.Errorf("-%s must be at least 1", s.flag))
		}
	}
	return errors.Join(problems...)
}

// withDefaults returns the configuration with the defaults where it says 0.
func (c Config) withDefaults() Config {
	for _, s := range c.limits() {
		if *s.value == 0 {
			*s.value = s.defaultValue
		}
	}
	return c
}
