# Targets for development. `make help` lists them.

VERSION   := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
TOOL      := go tool -modfile=internal/tools/go.mod
MODULES   := . distribution/otelcol-rtc internal/tools internal/tools/prometheus internal/comparison internal/dashboards internal/manifests internal/browser
COMPARE   := cd internal/comparison && export GOFLAGS=-tags=remove_all_sd # prometheusreceiver without service discovery
DASHBOARD := cd internal/dashboards && export GOFLAGS=-tags=remove_all_sd # Prometheus without service discovery
MANIFESTS := cd internal/manifests
BROWSER   := cd internal/browser
HAVE_CC   := $(shell command -v "$$(go env CC)")

# Debian packages required by tests. Tests that need a real server add a line: TEST_PACKAGES += name
TEST_PACKAGES := $(if $(HAVE_CC),,gcc libc6-dev)
TEST_PACKAGES += kamailio kamailio-extra-modules kamailio-json-modules kamailio-tls-modules rtpengine-daemon sip-tester
TEST_PACKAGES += g++ libuv1-dev libsrtp2-dev libssl-dev libusrsctp-dev libabsl-dev nlohmann-json3-dev pkg-config
TEST_PACKAGES += chromium fonts-liberation
TEST_PACKAGES += $(if $(shell command -v npm),,nodejs npm)
TEST_PACKAGES += $(if $(shell command -v python3),,python3)
TEST_PACKAGES += $(if $(shell command -v curl),,curl)

# The race detector needs a C compiler.
RACE := $(if $(HAVE_CC),-race)

# Runs the npm script with the name of the target, if make test-deps has installed its dependencies.
AGENT_DIR := distribution/mediasoup-agent
AGENT = @cd $(AGENT_DIR) && if [ -d node_modules ]; then npm run --silent $@; \
	else echo "mediasoup-agent: $@ skipped: run make test-deps" >&2; [ -z "$$CI" ]; fi

SYSTEM   ?=
CONFIG   ?=
BENCH    ?= .
COUNT    ?= 1
FUZZTIME ?= 30s
ARGS     ?=
# Additional flags for go test in make test, such as -json.
TEST_FLAGS ?=

# For make soak: the duration, the number of receivers, and the duration of the backend's outage.
SOAK      ?= 30m
RECEIVERS ?= 200
OUTAGE    ?= 0

.PHONY: help run test test-deps build generate lint bench compare fuzz mutate soak clean

help: ## list all targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 12

run: build ## build and run the collector with emulated servers, SYSTEM=jitsi of one system; CONFIG="base.yaml my.yaml" selects your own configurations instead
	@SYSTEM='$(SYSTEM)' distribution/run.sh $(CONFIG)

# The tests of dashboards, manifests and the overview page are not cached: the cache does not notice changes outside of their modules.
# Those of dashboards run without the race detector, with which they take more than two minutes on two cores: what they run concurrently is
# the code of the receivers, whose own tests use it.
test: ## run go vet and all tests, with the race detector if a C compiler is installed
	go vet ./...
	go test $(RACE) -shuffle=on $(TEST_FLAGS) ./...
	$(COMPARE) && go vet ./... && go test $(RACE) -shuffle=on $(TEST_FLAGS) ./...
	$(DASHBOARD) && go vet ./... && go test -count=1 -shuffle=on $(TEST_FLAGS) ./...
	$(MANIFESTS) && go vet ./... && go test -count=1 -shuffle=on $(TEST_FLAGS) ./...
	$(BROWSER) && go vet ./... && go test -count=1 -shuffle=on $(TEST_FLAGS) ./...
	$(AGENT)

test-deps: ## install the dependencies of the tests: Debian packages, Go and npm modules, mediasoup and Prometheus (takes minutes once)
	@internal/tools/test-deps.sh $(TEST_PACKAGES)
	@for module in $(MODULES); do (cd $$module && go mod download) || exit 1; done
	@for folder in $(AGENT_DIR) internal/browser; do \
		(cd $$folder && { [ node_modules -nt package-lock.json ] || npm ci --ignore-scripts --no-audit --no-fund; }) || exit 1; \
	done
	@$(AGENT_DIR)/test/mediasoup/install.sh
	@internal/tools/prometheus/install.sh

build: export CGO_ENABLED = 0
build: ## build bin/otelcol-rtc and bin/emulator
	@mkdir -p bin
	cd distribution/otelcol-rtc && go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$(VERSION)" -o ../../bin/otelcol-rtc .
	go build -trimpath -buildvcs=false -ldflags "-s -w" -o bin/emulator ./internal/emulator/cmd/emulator

generate: ## generate code from each metadata.yaml and from builder-config.yaml, and the dashboards
	go generate ./...
	$(TOOL) builder --config builder-config.yaml --skip-compilation
	gofmt -w distribution/otelcol-rtc
	$(DASHBOARD) && go generate ./...

lint: ## run the linters and check the names in each metadata.yaml
	$(TOOL) golangci-lint run
	$(COMPARE) && go tool -modfile=../tools/go.mod golangci-lint run -c ../../.golangci.yml
	$(DASHBOARD) && go tool -modfile=../tools/go.mod golangci-lint run -c ../../.golangci.yml
	$(MANIFESTS) && go tool -modfile=../tools/go.mod golangci-lint run -c ../../.golangci.yml
	$(BROWSER) && go tool -modfile=../tools/go.mod golangci-lint run -c ../../.golangci.yml
	go mod tidy -diff
	cd internal/comparison && go mod tidy -diff
	cd internal/dashboards && go mod tidy -diff
	$(MANIFESTS) && go mod tidy -diff
	$(BROWSER) && go mod tidy -diff
	go test -run Metadata ./receiver/
	$(AGENT)

bench: ## run benchmarks: BENCH=regexp COUNT=n
	go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) ./...
	$(COMPARE) && go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) ./...

compare: build ## compare receivers and collector with exporters, see internal/comparison/README.md; ARGS='-systems ZLM -sizes 100' sets options
	@$(COMPARE) && go build -o ../../bin/compare ./compare && ../../bin/compare $(ARGS) && \
		../../bin/compare -collector ../../bin/otelcol-rtc $(ARGS)

fuzz: ## run each fuzz target for FUZZTIME
	@for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x $$package || exit 1; \
		done; \
	done

mutate: ## plant errors in the receivers and check that tests fail; ARGS=receiver/<system>receiver selects one receiver
	go run ./internal/mutate $(ARGS)

soak: build ## run the collector with RECEIVERS emulated servers for SOAK; OUTAGE=10m stops the backend for 10 minutes
	go run ./internal/soak -collector bin/otelcol-rtc -duration $(SOAK) -receivers $(RECEIVERS) -outage $(OUTAGE) $(ARGS)

clean: ## delete the built binaries
	rm -rf bin
