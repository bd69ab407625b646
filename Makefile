# Thin lines over the Go tools. `make help` lists them.

VERSION   := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
TOOL      := go tool -modfile=internal/tools/go.mod
MODULES   := . distribution/otelcol-rtc internal/tools internal/comparison
COMPARE   := cd internal/comparison && export GOFLAGS=-tags=remove_all_sd # prometheusreceiver without clients of every cloud
HAVE_CC   := $(shell command -v "$$(go env CC)")

# Debian packages that the tests need. A receiver whose tests need a real server adds a line: TEST_PACKAGES += name
TEST_PACKAGES := $(if $(HAVE_CC),,gcc libc6-dev)
TEST_PACKAGES += kamailio kamailio-extra-modules kamailio-json-modules kamailio-tls-modules rtpengine-daemon sip-tester
TEST_PACKAGES += g++ libuv1-dev libsrtp2-dev libssl-dev libusrsctp-dev libabsl-dev nlohmann-json3-dev pkg-config
TEST_PACKAGES += $(if $(shell command -v npm),,nodejs npm)
TEST_PACKAGES += $(if $(shell command -v python3),,python3)

# The race detector needs a C compiler.
RACE := $(if $(HAVE_CC),-race)

# Runs the script of the target's name in the npm package, where make test-deps has been.
AGENT_DIR := distribution/mediasoup-agent
AGENT = @cd $(AGENT_DIR) && if [ -d node_modules ]; then npm run --silent $@; \
	else echo "mediasoup-agent: $@ skipped: run make test-deps" >&2; [ -z "$$CI" ]; fi

CONFIG   ?=
BENCH    ?= .
COUNT    ?= 1
FUZZTIME ?= 30s
ARGS     ?=
# Flags for go test in make test, such as -json.
TEST_FLAGS ?=

# For make soak: the duration, the number of receivers, and the duration of the backend's outage.
SOAK      ?= 30m
RECEIVERS ?= 200
OUTAGE    ?= 0

.PHONY: help run test test-deps build generate lint bench compare fuzz mutate soak clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 12

run: build ## build, then run the collector with an emulated server; CONFIG=path runs it on your own configuration
	@distribution/run.sh $(CONFIG)

test: ## run go vet and the tests, with the race detector where there is a C compiler
	go vet ./...
	go test $(RACE) -shuffle=on $(TEST_FLAGS) ./...
	$(COMPARE) && go vet ./... && go test $(RACE) -shuffle=on $(TEST_FLAGS) ./...
	$(AGENT)

test-deps: ## install what the tests need: Debian packages that are missing, Go and npm modules, a mediasoup (minutes, once)
	@internal/tools/test-deps.sh $(TEST_PACKAGES)
	@for module in $(MODULES); do (cd $$module && go mod download) || exit 1; done
	@cd $(AGENT_DIR) && { [ node_modules -nt package-lock.json ] || npm ci --ignore-scripts --no-audit --no-fund; }
	@$(AGENT_DIR)/test/mediasoup/install.sh

build: export CGO_ENABLED = 0
build: ## build bin/otelcol-rtc and bin/emulator
	@mkdir -p bin
	cd distribution/otelcol-rtc && go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$(VERSION)" -o ../../bin/otelcol-rtc .
	go build -trimpath -buildvcs=false -ldflags "-s -w" -o bin/emulator ./internal/emulator/cmd/emulator

generate: ## write generated code anew: from each metadata.yaml, and from builder-config.yaml
	go generate ./...
	$(TOOL) builder --config builder-config.yaml --skip-compilation
	gofmt -w distribution/otelcol-rtc

lint: ## check style, hold each metadata.yaml against the naming rules
	$(TOOL) golangci-lint run
	$(COMPARE) && go tool -modfile=../tools/go.mod golangci-lint run -c ../../.golangci.yml
	go mod tidy -diff
	cd internal/comparison && go mod tidy -diff
	go test -run Metadata ./receiver/
	$(AGENT)

bench: ## run benchmarks: BENCH=regexp COUNT=n
	go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) ./...
	$(COMPARE) && go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) ./...

compare: ## compare our receivers with what is done today, as internal/comparison/README.md shows; ARGS='-systems ZLM -sizes 100'
	@$(COMPARE) && go build -o ../../bin/compare ./compare && ../../bin/compare $(ARGS)

fuzz: ## run every fuzz target for FUZZTIME
	@for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x $$package || exit 1; \
		done; \
	done

mutate: ## plant errors in the receivers and check that tests fail; ARGS=receiver/<system>receiver selects one receiver
	go run ./internal/mutate $(ARGS)

soak: build ## run the collector with RECEIVERS emulated servers for SOAK; OUTAGE=10m: the backend is down that long meanwhile
	go run ./internal/soak -collector bin/otelcol-rtc -duration $(SOAK) -receivers $(RECEIVERS) -outage $(OUTAGE)

clean: ## delete what build made
	rm -rf bin
