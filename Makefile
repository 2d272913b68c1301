# Everything a maintainer types. `make check` is exactly what CI runs.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

MODULES := proto internal/kit internal/domain services/events services/identity services/sessions gateway standalone tests/e2e
BINARIES := services/events/cmd/eventsd services/identity/cmd/identityd services/sessions/cmd/sessionsd gateway/cmd/gatewayd standalone/cmd/sojourn

# Tools are built once from the versions pinned in tools/go.mod and tools/lint/go.mod.
BIN := $(CURDIR)/.bin
export PATH := $(BIN):$(PATH)

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

.PHONY: run
run: ## start everything in one process, data in ./sojourn-data
	go run ./standalone/cmd/sojourn

$(BIN)/buf: tools/go.mod
	GOWORK=off GOBIN=$(BIN) go -C tools install tool
	touch $@

$(BIN)/golangci-lint: tools/lint/go.mod
	GOWORK=off GOBIN=$(BIN) go -C tools/lint install tool
	touch $@

.PHONY: generate
generate: $(BIN)/buf ## regenerate the Go code of proto/
	find proto/sojourn -name '*.go' -delete
	buf generate

.PHONY: lint
lint: $(BIN)/buf $(BIN)/golangci-lint ## check protos and Go code
	buf lint
	@if base=$$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null); then set -x; buf breaking --against ".git#tag=$$base"; fi
	@for m in $(MODULES); do echo "golangci-lint $$m"; (cd $$m && golangci-lint run --allow-parallel-runners ./...); done

.PHONY: test
test: ## run all tests that need Go alone
	go test $(addsuffix /...,$(addprefix ./,$(MODULES)))

.PHONY: race
race: ## run the same tests with the race detector, the long ones shortened
	go test -race -short $(addsuffix /...,$(addprefix ./,$(MODULES)))

.PHONY: e2e-clients
e2e-clients: ## drive Sojourn with the clients of Segment and RudderStack, in Node and Chromium (3 minutes; needs node, npm, chromium)
	cd tests/e2e/node && npm ci --no-audit --no-fund
	cd tests/e2e/browser && npm ci --no-audit --no-fund
	go test -count=1 -tags clients -run Client ./tests/e2e

.PHONY: exact
exact: ## hold sessions against an oracle at full size: 1,000 histories in 20 orders, 20,000 sessions on four anonymousIds (SEED=n)
	go test -count=1 -v -run Exact ./services/sessions/internal/bolt -histories 1000 -permutations 20 -crowded 20000 -seed $${SEED:-20261123}

.PHONY: simulate
simulate: ## simulate ten years of sessions with restarts, downtime and clock jumps (SEED=n)
	go test -count=1 -v -timeout 30m -run Years ./services/sessions -simulations 20 -days 183 -seed $${SEED:-1}

.PHONY: bench-sessions
bench-sessions: ## measure the sessions' store: a session of a million points, ten million points stored, a million timers due (20 minutes)
	go test -run '^$$' -bench . -timeout 60m ./services/sessions/internal/bolt -stored 10000000 -longest 1000000 -due 1000000

.PHONY: scale
scale: ## fill 10 million uses of 100,000 users and 2,000 accounts, and time every question (half an hour, 10 GB)
	go test -count=1 -v -timeout 3h -tags scale -run TestScale ./standalone -events $${EVENTS:-10000000}

.PHONY: fuzz
fuzz: ## fuzz every decoder for a while (FUZZTIME=10s each)
	@for f in $$(grep -rlE '^func Fuzz' --include='*_test.go' .); do \
	  for name in $$(grep -oE '^func Fuzz\w+' $$f | cut -c6-); do \
	    echo "$$name in $$(dirname $$f)"; go test -run '^$$' -fuzz "^$$name$$" -fuzztime $${FUZZTIME:-10s} ./$$(dirname $$f); \
	  done; \
	done

.PHONY: build
build: ## build every program, in the workspace and each module on its own
	go build work
	@for b in $(BINARIES); do echo "GOWORK=off go build $$b"; (cd $$b && GOWORK=off go build -o /dev/null .); done

.PHONY: tidy
tidy: ## bring go.work and every go.mod up to date
	go work sync
	@for m in $(MODULES); do (cd $$m && GOWORK=off go mod tidy); done

.PHONY: clean-generate
clean-generate: generate tidy ## fail if generating or tidying changes anything
	git diff --exit-code -- proto go.work go.work.sum '*go.mod' '*go.sum'
	@test -z "$$(git ls-files --others --exclude-standard -- proto)" || { echo "generated files that are not committed"; exit 1; }

.PHONY: check
check: clean-generate lint build race e2e-clients ## everything that CI runs
