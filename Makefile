# Targets for development. `make help` lists them.

VERSION   := $(shell internal/packaging/version.sh)
TOOL      := go tool -modfile=internal/tools/go.mod
MODULES   := . distribution/otelcol-rtc internal/tools internal/tools/prometheus internal/comparison internal/dashboards internal/manifests internal/browser \
             internal/packaging
COMPARE   := cd internal/comparison && export GOFLAGS=-tags=remove_all_sd # prometheusreceiver without service discovery
DASHBOARD := cd internal/dashboards && export GOFLAGS=-tags=remove_all_sd # Prometheus without service discovery
MANIFESTS := cd internal/manifests
PACKAGING := cd internal/packaging
COLLECTOR := cd distribution/otelcol-rtc && CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$(VERSION)"
BROWSER   := cd internal/browser
HAVE_CC   := $(shell command -v "$$(go env CC)")

# Debian packages required by tests. Tests that need a real server add a line: TEST_PACKAGES += name
TEST_PACKAGES := $(if $(HAVE_CC),,gcc libc6-dev)
TEST_PACKAGES += kamailio kamailio-extra-modules kamailio-json-modules kamailio-tls-modules rtpengine-daemon sip-tester
TEST_PACKAGES += g++ libuv1-dev libsrtp2-dev libssl-dev libusrsctp-dev libabsl-dev nlohmann-json3-dev pkg-config
TEST_PACKAGES += rpm strace systemd util-linux
TEST_PACKAGES += chromium fonts-liberation
TEST_PACKAGES += $(if $(shell command -v npm),,nodejs npm)
TEST_PACKAGES += $(if $(shell command -v python3),,python3)
TEST_PACKAGES += $(if $(shell command -v curl),,curl)

# The race detector needs a C compiler.
RACE := $(if $(HAVE_CC),-race)

# Runs the given npm script, if make test-deps has installed its dependencies.
AGENT_DIR := distribution/mediasoup-agent
agent = cd $(AGENT_DIR) && if [ -d node_modules ]; then npm run --silent $(1); \
	else echo "mediasoup-agent: $(1) skipped: run make test-deps" >&2; [ -z "$$CI" ]; fi

SYSTEM   ?=
CONFIG   ?=
BENCH    ?= .
COUNT    ?= 1
FUZZTIME ?= 30s
ARGS     ?=
# Platforms of make package.
PLATFORMS ?= linux/amd64 linux/arm64

# Additional flags for go test in make test, such as -json.
TEST_FLAGS ?=

# For make soak: the duration, the number of receivers, and the duration of the backend's outage.
SOAK      ?= 30m
RECEIVERS ?= 200
OUTAGE    ?= 0

.PHONY: help run test test-comparison test-dashboards test-manifests test-browser test-agent test-deps build generate lint bench compare fuzz mutate soak package package-test release reproduce clean

help: ## list all targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 12

run: build ## build and run the collector with emulated servers, SYSTEM=jitsi of one system; CONFIG="base.yaml my.yaml" selects your own configurations instead
	@SYSTEM='$(SYSTEM)' distribution/run.sh $(CONFIG)

# Most tests wait for a process or for a time limit, so that four of a package run at once.
test: ## run go vet and all tests, those of the collector with the race detector if a C compiler is installed
	go vet ./...
	go test $(RACE) -shuffle=on -parallel 4 $(TEST_FLAGS) ./...
	@$(MAKE) --no-print-directory --jobs 2 --output-sync test-comparison test-dashboards test-manifests test-browser test-agent

# The tests of dashboards, manifests and the overview page are not cached: the cache does not notice changes outside of their modules.
# Those of the comparison and of dashboards run without the race detector, with which they take two minutes longer each on two cores: what
# they run concurrently is the code of receivers and exporters, whose own tests use it.
test-comparison:
	$(COMPARE) && go vet ./... && go test -shuffle=on $(TEST_FLAGS) ./...

test-dashboards:
	$(DASHBOARD) && go vet ./... && go test -count=1 -shuffle=on $(TEST_FLAGS) ./...

test-manifests:
	$(MANIFESTS) && go vet ./... && go test -count=1 -shuffle=on $(TEST_FLAGS) ./...

test-browser:
	$(BROWSER) && go vet ./... && go test -count=1 -shuffle=on $(TEST_FLAGS) ./...

test-agent:
	@$(call agent,test)

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
	$(COLLECTOR) -o ../../bin/otelcol-rtc .
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
	$(PACKAGING) && go tool -modfile=../tools/go.mod golangci-lint run -c ../../.golangci.yml
	$(BROWSER) && go tool -modfile=../tools/go.mod golangci-lint run -c ../../.golangci.yml
	go mod tidy -diff
	cd internal/comparison && go mod tidy -diff
	cd internal/dashboards && go mod tidy -diff
	$(MANIFESTS) && go mod tidy -diff
	$(PACKAGING) && go mod tidy -diff
	$(BROWSER) && go mod tidy -diff
	go test -run Metadata ./receiver/
	@$(call agent,lint)

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

package: export SOURCE_DATE_EPOCH = $(shell git log -1 --format=%ct)
package: ## make archives, packages, container image, bills of materials and checksums in dist; PLATFORMS="linux/amd64 ..." selects platforms
	@for platform in $(PLATFORMS); do \
		(export GOOS=$${platform%/*} GOARCH=$${platform#*/} && $(COLLECTOR) -o ../../bin/$$platform/ .) || exit 1; \
	done
	rm -rf dist
	$(PACKAGING) && go run . -version $(VERSION) -platforms "$(PLATFORMS)"

package-test: build ## test what make package has made; with CI=1, this installs the Debian package and removes it again
	$(PACKAGING) && go vet ./... && go test -count=1 -shuffle=on -v ./...

release: ## check that CHANGELOG.md, the tag and the tree agree, and make packages for all platforms and the notes of the release in dist
	@mkdir -p bin
	$(PACKAGING) && go run . -version $(VERSION) -notes >../../bin/RELEASE_NOTES.md
	$(MAKE) package PLATFORMS="$(foreach os,linux darwin windows,$(os)/amd64 $(os)/arm64)"
	mv bin/RELEASE_NOTES.md dist/

reproduce: export SOURCE_DATE_EPOCH = $(shell git log -1 --format=%ct)
reproduce: package ## check that a second build, from an empty cache, and a second packaging run give the same bytes
	@rm -rf bin/reproduce && mkdir -p bin/reproduce
	export GOCACHE=$(CURDIR)/bin/reproduce/cache GOOS=linux GOARCH=amd64 && $(COLLECTOR) -o ../../bin/reproduce/ .
	cmp bin/linux/amd64/otelcol-rtc bin/reproduce/otelcol-rtc
	$(PACKAGING) && go run . -version $(VERSION) -platforms "$(PLATFORMS)" -out ../../bin/reproduce/dist
	diff dist/SHA256SUMS bin/reproduce/dist/SHA256SUMS
	rm -rf bin/reproduce

clean: ## delete the built binaries and packages
	rm -rf bin dist
