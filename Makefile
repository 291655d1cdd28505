# make          this help
# The checks are programs and tests of this repository: `go test ./...` runs
# most of them without make.

.DEFAULT_GOAL := help
GO ?= go

.PHONY: help
help: ## print the targets
	@awk -F':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: test
test: ## everything that CI runs, nested modules included; ends with a table
	$(GO) run ./tools/testall

.PHONY: quick
quick: ## formatting, vet and unit tests of the main module
	$(GO) run ./tools/testall -run '^(gofmt|vet|unit)$$'

.PHONY: integration
integration: ## the sinks against the real servers that are installed; those that are not are skipped
	$(GO) run ./tools/testall -run '^real '

.PHONY: nightly
nightly: ## test, then lint, long models, repeated race runs and fuzzing, or those that match PARTS; recorded in docs/nightly.md
	$(GO) run ./tools/testall -tier nightly -run '$(PARTS)' -record docs/nightly.md

.PHONY: race
race: ## unit tests under the race detector
	$(GO) run ./tools/testall -run '^race$$'

.PHONY: lint
lint: ## golangci-lint with .golangci.yml, nested modules too
	$(GO) run ./tools/testall -tier nightly -run '^lint$$'

.PHONY: seed
seed: ## which items of the seed documents have a test, and how many are open
	$(GO) test -v -count=1 -run TestSeed ./internal/seed -run-named

.PHONY: size
size: ## what tickwell adds to a program on linux/arm and linux/mipsle
	$(GO) test -v -count=1 ./internal/sizegate

.PHONY: api
api: ## write testdata/api.txt from the code
	$(GO) test -count=1 ./internal/api -update

.PHONY: tidy
tidy: ## go mod tidy in every module
	find . -name go.mod -not -path '*/testdata/*' -execdir $(GO) mod tidy \;

.PHONY: cover
cover: ## unit tests with coverage, by function
	$(GO) test -coverprofile=cover.out ./... && $(GO) tool cover -func=cover.out

.PHONY: figures
figures: ## measure all stores anew for docs/performance*.md and README.md: an hour and a half on a quiet machine
	cd bench && $(GO) run . -md ../docs/performance-full.md >/dev/null
	cd bench && $(GO) run . -quick -md ../docs/performance-quick.md >/dev/null
	$(GO) test -count=1 ./internal/readme -run 'TestBench' -update

.PHONY: quickstart
quickstart: ## the ten-second demonstration on this machine's own metrics
	$(GO) run ./examples/quickstart
