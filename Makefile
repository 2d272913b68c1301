# Everything a maintainer types. `make check` is exactly what CI runs.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

MODULES := proto internal services/events services/identity services/sessions gateway standalone \
	tests/program tests/e2e tests/load tests/cluster tests/reliability tests/disk
# Modules outside the workspace: what they need would weigh on the others.
BESIDE := tests/deploy tools
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

$(BIN)/govulncheck: tools/vuln/go.mod
	GOWORK=off GOBIN=$(BIN) go -C tools/vuln install tool
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
	@for m in $(BESIDE); do echo "golangci-lint $$m"; (cd $$m && GOWORK=off golangci-lint run --allow-parallel-runners ./...); done

.PHONY: licences
licences: ## renew docs/dependencies.md: modules of the programs with versions and licences
	GOWORK=off go -C tools run ./licences .. > docs/dependencies.md.new
	mv docs/dependencies.md.new docs/dependencies.md

.PHONY: vuln
vuln: $(BIN)/govulncheck ## look for known vulnerabilities in what our code calls (VULNDB=file:///… for a copy of the database)
	@for m in $(MODULES); do echo "govulncheck $$m"; \
	  if ! said=$$(cd $$m && govulncheck $(VULNDB:%=-db %) ./... 2>&1); then \
	    case "$$said" in *"fetching vulnerabilities"*) echo "SKIPPED vuln: the vulnerability database cannot be reached"; exit 0;; esac; \
	    echo "$$said"; exit 1; \
	  fi; done

.PHONY: test
test: ## run all tests that need Go alone
	go test $(addsuffix /...,$(addprefix ./,$(filter-out tests/reliability tests/disk,$(MODULES)))) ./tests/reliability/oracle ./tests/disk/volume

.PHONY: race
race: ## run the same tests with the race detector, the long ones shortened; not those of programs, which it would not look into
	go test -race -short $(addsuffix /...,$(addprefix ./,$(filter-out tests/%,$(MODULES))))

.PHONY: e2e-clients
e2e-clients: ## drive Sojourn with the clients of Segment, RudderStack and Jitsu, in Node and Chromium (4 minutes; needs node, npm, chromium)
	cd tests/e2e/node && npm ci --no-audit --no-fund
	cd tests/e2e/browser && npm ci --no-audit --no-fund
	go test -count=1 -tags clients -run Client ./tests/e2e

.PHONY: exact
exact: ## hold sessions against an oracle at full size: 1,000 histories in 20 orders, 20,000 sessions on four anonymousIds (SEED=n)
	go test -count=1 -v -run Exact ./services/sessions/internal/bolt -histories 1000 -permutations 20 -crowded 20000 -seed $${SEED:-20261123}

.PHONY: simulate
simulate: ## simulate ten years of sessions with restarts, downtime and clock jumps (SEED=n)
	go test -count=1 -v -timeout 30m -run Years ./services/sessions -simulations 20 -days 183 -seed $${SEED:-1}

# What is measured, and what measures, is built first: no compiler runs beside a measurement.
BENCH := $(CURDIR)/bench-results
.PHONY: bench-build
bench-build:
	mkdir -p $(BENCH)/bin
	go build -o $(BENCH)/bin/ ./tests/load/cmd/load $(addprefix ./,$(BINARIES))

.PHONY: bench
bench: bench-build ## measure Sojourn beside servers that store nothing, and check what it holds (6 minutes; ROUNDS=3 SECONDS_EACH=4 VISIT=10 BENCH_DIR=/disk)
	$(BENCH)/bin/load bench -bin $(BENCH)/bin -dir $${BENCH_DIR:-$${TMPDIR:-/tmp}} -rounds $${ROUNDS:-3} -duration $${SECONDS_EACH:-4}s \
	  -seed $${SEED:-1} -visit-calls $${VISIT:-10} -out $(BENCH)/bench.json | tee $(BENCH)/bench.txt

.PHONY: bench-growth
bench-growth: bench-build ## fill 10 million calls, and measure what they cost (slow; CALLS=10000000 LIVE=1000000 VISIT=10 BENCH_DIR=/disk)
	$(BENCH)/bin/load growth -bin $(BENCH)/bin -dir $${BENCH_DIR:-$${TMPDIR:-/tmp}} -calls $${CALLS:-10000000} -live $${LIVE:-1000000} \
	  -duration $${SECONDS_EACH:-10}s -seed $${SEED:-1} -visit-calls $${VISIT:-10} -out $(BENCH)/growth.json | tee $(BENCH)/growth.txt

.PHONY: bench-stages
bench-stages: ## benchmark each stage on a call's way, for benchstat: decode, map, translate, RPC, commit (COUNT=6)
	@go test -run '^$$' -bench 'Parse|Translate|Question|Record' -benchmem -count $${COUNT:-6} ./gateway/internal/segment ./internal/domain/callproto \
	  ./standalone ./services/events/internal/bolt ./services/identity/internal/bolt ./services/sessions/internal/bolt

.PHONY: bench-sessions
bench-sessions: ## measure the sessions' store: a session of a million points, ten million points stored, a million timers due (20 minutes)
	go test -run '^$$' -bench . -timeout 60m ./services/sessions/internal/bolt -stored 10000000 -longest 1000000 -due 1000000

.PHONY: scale
scale: ## fill 10 million uses of 100,000 users and 2,000 accounts, and time every question (half an hour, 10 GB)
	go test -count=1 -v -timeout 3h -tags scale -run TestScale ./standalone -events $${EVENTS:-10000000}

# What breaks Sojourn on purpose: docs/reliability.md has what each proves, and what was seen. SEED=n repeats a run. FORM= adds flags.
RELIABILITY = go test -count=1 -v -timeout 60m ./tests/reliability -seed $${SEED:-0}

.PHONY: rel-kill
rel-kill: ## kill random processes under load, 300 times, with a million calls answered (17 minutes; KILLS= and CALLS= of each of two deployments)
	$(RELIABILITY) -run Killed -kills $${KILLS:-150} -calls $${CALLS:-500000} -batch 40 -pace $${PACE:-1150}

.PHONY: rel-outage
rel-outage: ## take the gateway away for 3 h 50 min of a patient sender's clock, then replay everything twice (2 minutes; BATCHES=)
	$(RELIABILITY) -run Outage -batches $${BATCHES:-5000}

.PHONY: rel-clock
rel-clock: ## let the programs' wall clock jump and strobe between three days ahead and back (6 minutes; DURATION=)
	$(RELIABILITY) -run Clock -clock-for $${DURATION:-60s} -clock-calls 50000 -pace $${PACE:-1500}

.PHONY: rel-net
rel-net: ## kill, stop, cut off, slow and reset each service, in network namespaces (3 minutes; needs root, ip, tc, iptables; else by proxies)
	@if [ "$$(id -u)" = 0 ] && unshare --net true 2>/dev/null; then set -x; unshare --net $(RELIABILITY) -run BadNetwork -faults 15 -fault-for 8s -namespaces; \
	  else echo "SKIPPED rel-net in namespaces: it needs root and unshare; by proxies instead"; set -x; \
	  $(RELIABILITY) -run BadNetwork -faults 15 -fault-for 8s; fi

.PHONY: rel-defects
rel-defects: ## seed one defect after the other, and have each found by the target that is there for it (20 minutes; DEFECT=name for one)
	$(RELIABILITY) -run Seeded -defects 0 -defect "$${DEFECT:-}"

# What befalls disks: tests/disk. They need root; rel-crash and rel-fsync need FUSE, rel-power ext4 on a loop device.
DISK := go test -count=1 -v -timeout 6h
.PHONY: rel-crash
rel-crash: ## open 100,000 states that a crash could leave of a store (10 minutes; SEED=n, STATES= of each of four stores, STEPS= of each sender a round)
	$(DISK) ./tests/disk/crash -states $${STATES:-25000} -steps $${STEPS:-60} -rounds 6 -seed $${SEED:-1}

.PHONY: rel-fsync
rel-fsync: ## fail fsync under load, 50 times, and go on with the same cache or after a crash (10 minutes; SEED=n, FAULTS=, CALLS= before each)
	$(DISK) -run 'SyncsFail|SyncOfAStart' ./tests/disk/faults -faults $${FAULTS:-50} -calls $${CALLS:-500} -seed $${SEED:-1}

.PHONY: rel-power
rel-power: ## cut the power of an ext4 under load, 50 times (10 minutes; SEED=n, FAULTS=, CALLS= before each)
	$(DISK) -run PowerFails ./tests/disk/faults -faults $${FAULTS:-50} -calls $${CALLS:-500} -seed $${SEED:-1}

.PHONY: rel-full
rel-full: ## fill a disk under load, hold it full, compact there, and make room, 20 times (3 minutes; SEED=n, FAULTS=, CALLS= before each)
	$(DISK) -run "FullDisk|UnderACompaction" ./tests/disk/faults -faults $${FAULTS:-20} -calls $${CALLS:-500} -seed $${SEED:-1}

.PHONY: rel-rot
rel-rot: ## flip 1,000 bits of data files, one at a time, and damage them in ten other ways 500 times (5 minutes; SEED=n, FLIPS=)
	$(DISK) -run Rot ./tests/disk/faults -rot $${FLIPS:-1000} -calls $${CALLS:-500} -seed $${SEED:-1}

.PHONY: rel-disk-short
rel-disk-short: ## a short form of these five (a minute)
	$(DISK) ./tests/disk/volume ./tests/disk/mounted
	$(DISK) ./tests/disk/crash -states 800 -seed $${SEED:-1}
	$(DISK) ./tests/disk/faults -seed $${SEED:-1}

.PHONY: rel-short
rel-short: rel-disk-short rel-doors-short ## a short form of everything that breaks Sojourn on purpose
	$(RELIABILITY) -run 'Killed|Outage|Clock|BadNetwork|Seeded' -kills 4 -every 300ms -batches 150 -clock-for 2s -clock-calls 500 -defects 1

.PHONY: fuzz
fuzz: ## fuzz every decoder for a while (FUZZTIME=10s each)
	@for f in $$(grep -rlE '^func Fuzz' --include='*_test.go' .); do \
	  for name in $$(grep -oE '^func Fuzz\w+' $$f | cut -c6-); do \
	    echo "$$name in $$(dirname $$f)"; go test -run '^$$' -fuzz "^$$name$$" -fuzztime $${FUZZTIME:-10s} ./$$(dirname $$f); \
	  done; \
	done

.PHONY: race-e2e
race-e2e: ## run the tests of programs too with the race detector, in the programs that they start as well (10 minutes)
	GOFLAGS=-race go test -count=1 -timeout 30m ./tests/e2e

# The rel- targets print the seed that they drew; SEED=n repeats it.
.PHONY: rel-hostile
rel-hostile: ## attack sojourn in every way at once, with a bot session of a million points, beside a healthy client (10 minutes; SEED=n)
	go test -count=1 -v -timeout 60m -tags reliability -run TestRelHostile ./tests/e2e -hostile 5m -points 1000000 -seed $${SEED:-0}

.PHONY: rel-soak
rel-soak: ## keep sojourn at half load for an hour, and fit lines through what must not grow (SOAK=1h, SEED=n)
	go test -count=1 -v -timeout 3h -tags reliability -run TestRelSoak ./tests/e2e -soak $${SOAK:-1h} -measure 20s -seed $${SEED:-0}

.PHONY: rel-doors-short
rel-doors-short: ## short forms of rel-hostile and rel-soak (40 seconds); how fast answers come is left to the long ones
	go test -count=1 -v -tags reliability -run TestRel ./tests/e2e -seed $${SEED:-0} -soak 12s -p99 2s

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

# Containers: one image a program. IMAGES=registry.example.com/sojourn TAG=v1.2.3 make images-push
PROGRAMS := gatewayd identityd eventsd sessionsd sojourn
IMAGES ?= sojourn
VERSION = $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
COMMIT = $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
TAG ?= $(VERSION)
ARCH ?= $(shell go env GOARCH)
ENGINE = $(firstword $(foreach e,docker podman,$(shell $(e) info >/dev/null 2>&1 && echo $(e))))

.PHONY: image-tag
image-tag: ## print the tag that images get, for --set-string image.tag
	@echo $(TAG)

.PHONY: images
images: ## build the programs' container images, with docker or podman if one answers, else as archives
	@if [ -z "$(ENGINE)" ]; then echo "no docker or podman answers: archives"; $(MAKE) images-tar; else \
	  for p in $(PROGRAMS); do $(ENGINE) build -f deploy/docker/Dockerfile --build-arg PROGRAM=$$p --build-arg VERSION=$(VERSION) \
	    --build-arg COMMIT=$(COMMIT) -t $(IMAGES)/$$p:$(TAG) .; done; fi

$(BIN)/image: tools/go.mod $(wildcard tools/image/*.go)
	GOWORK=off go -C tools build -o $@ ./image

.PHONY: images-tar
images-tar: $(BIN)/image ## the same without an engine: archives in dist/ that docker, podman, containerd and kind load (ARCH=arm64)
	@for p in $(PROGRAMS); do \
	  GOARCH=$(ARCH) deploy/docker/build $$p dist/$(ARCH)/$$p $(VERSION) $(COMMIT); \
	  image -program $$p -version $(VERSION) -revision $(COMMIT) -binary $(ARCH)=dist/$(ARCH)/$$p -o dist/$$p-$(ARCH).tar $(IMAGES)/$$p:$(TAG); \
	  ls -sh dist/$$p-$(ARCH).tar; \
	done

.PHONY: images-push
images-push: $(BIN)/image ## build for amd64 and arm64 and push to the registry in IMAGES
	@for p in $(PROGRAMS); do \
	  for a in amd64 arm64; do GOARCH=$$a deploy/docker/build $$p dist/$$a/$$p $(VERSION) $(COMMIT); done; \
	  image -program $$p -version $(VERSION) -revision $(COMMIT) -binary amd64=dist/amd64/$$p -binary arm64=dist/arm64/$$p -push $(IMAGES)/$$p:$(TAG); \
	done

.PHONY: chart
chart: ## lint, render, schema-check and compare the Helm chart with every values file; check the Tiltfile and the builder of images
	GOWORK=off go -C tests/deploy test ./...
	GOWORK=off go -C tools test ./image ./licences

.PHONY: chart-golden
chart-golden: ## take what the chart makes now for what it should make
	GOWORK=off go -C tests/deploy test . -update

# Where the chart's schemas come from.
SCHEMAS := k8s.io/kubernetes@v1.37.2 github.com/prometheus-operator/prometheus-operator@v0.85.0 github.com/cert-manager/cert-manager@v1.21.2 \
  sigs.k8s.io/gateway-api@v1.6.1
.PHONY: chart-schemas
chart-schemas: ## renew the schemas that the chart is checked against
	@cd / && for m in $(SCHEMAS); do go mod download $$m; done
	cd tests/deploy && m=$$(go env GOMODCACHE) && GOWORK=off go run ./schemagen -out testdata/schemas \
	  -swagger $$m/$(word 1,$(SCHEMAS))/api/openapi-spec/swagger.json \
	  $$m/$(word 2,$(SCHEMAS))/example/prometheus-operator-crd/monitoring.coreos.com_{servicemonitors,prometheusrules}.yaml \
	  $$m/$(word 3,$(SCHEMAS))/deploy/crds/cert-manager.io_certificates.yaml \
	  $$m/$(word 4,$(SCHEMAS))/config/crd/standard/gateway.networking.k8s.io_httproutes.yaml

.PHONY: e2e-cluster
e2e-cluster: $(BIN)/image ## install the chart on kubectl's current cluster, and kill, roll, upgrade and restore it under load (tests/cluster says more)
	go test -count=1 -v -timeout 40m -tags cluster ./tests/cluster

.PHONY: check
check: clean-generate lint build race chart e2e-clients rel-short vuln ## everything that CI runs
