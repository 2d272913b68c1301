// Package reliability breaks Sojourn on purpose, from outside: its programs are killed, stopped, cut off and lied to under load, and what they say
// at the end is compared with an oracle that shares no code with them. docs/reliability.md has what is promised and what was seen.
//
// The tests are run by targets of the Makefile (rel-kill and so on), not by make test: they take real time. Each prints its seed.
package reliability
