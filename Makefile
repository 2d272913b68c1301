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
