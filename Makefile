# The runner is one static binary; nothing here but e2e-docker needs
# root, Docker or a network beyond Go modules. `make help` lists the targets.

export CGO_ENABLED ?= 0

HELPERS := internal/helper/dist/linux-amd64.gz internal/helper/dist/linux-arm64.gz
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null)

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

.PHONY: demo
demo: build ## Back up three simulated tracker hosts, about 15 seconds
	@RUNNER_DEMO_PROGRAM=bin/runner bin/runner demo

.PHONY: build
build: helpers ## Build bin/runner
	go build -trimpath -ldflags '-s -w' -o bin/runner ./cmd/runner

.PHONY: helpers
helpers: ## Build the helper for every kind of host, to be embedded
	go run ./internal/helper/build

.PHONY: test
test: helpers ## Run every test that needs nothing but Go
	go test ./...

.PHONY: e2e-docker
e2e-docker: helpers ## Dump real database servers in Docker (needs root, docker.io, debootstrap)
	e2e/docker/build-images "$${E2E_IMAGES:-$${XDG_CACHE_HOME:-$$HOME/.cache}/runner-e2e}"
	REQUIRE_DOCKER=1 go test -count=1 -v ./e2e/docker

.PHONY: race
race: helpers ## Run the tests under the race detector (needs a C compiler)
	CGO_ENABLED=1 go test -race ./...

.PHONY: lint
lint: ## gofmt, go vet, staticcheck
	@test -z "$$(gofmt -l .)" || { gofmt -d .; exit 1; }
	go vet ./...
	cd tools && go build -o ../bin/staticcheck honnef.co/go/tools/cmd/staticcheck
	bin/staticcheck ./...

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (a count such as 2000x, or a time)
	@tools/fuzz $(FUZZTIME)

.PHONY: generate
generate: ## Write the generated pages anew
	UPDATE=1 go test ./internal/tasks/all ./cmd/runner -run 'Page|Reference' -count=1

.PHONY: check
check: lint race ## What a contributor runs before a commit

.PHONY: hooks
hooks: ## Install the git pre-commit hook
	git config core.hooksPath tools/hooks

.PHONY: bench
bench: build ## Compare with other programs, side by side (see docs/benchmarks.md)
	go run ./bench/sqlite
	go run ./bench/inventory

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin internal/helper/dist/*.gz
