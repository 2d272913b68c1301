// Package e2e tests Sojourn from outside: it builds the programs, starts them, sends them calls over HTTP and asks them questions, and
// knows nothing of how they work. Every case runs twice: against sojourn, all in one process, and against the gateway and the three
// services as four processes that talk over TCP.
package e2e
