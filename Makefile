# `make help` lists the targets. build-*Function at the end are for `sam build`, which calls them by the function's logical id.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# lambda is what is deployed; dev is quick to build and good enough for tests.
PROFILE ?= lambda
HOST    := $(shell uname -s)-$(subst aarch64,arm64,$(shell uname -m))
ARCH    ?= $(lastword $(subst -, ,$(HOST)))
# Only the first deployment asks, and saves the answers in samconfig.toml. What is not given afterwards stays as it is.
DEPLOY_FLAGS ?= $(if $(shell grep -s '^parameter_overrides' samconfig.toml),,--guided)
# Parameters of template.yaml that are not asked for: make deploy PARAMETERS="CanaryDeployments=true AlarmEmail=ops@example.com"
PARAMETERS   ?= CanaryDeployments=true

TARGET     := $(or $(CARGO_TARGET_DIR),target)
LAMBDA_BIN := $(TARGET)/lambda-bin
BINARIES   := ingest route sla-check relay notify ops-api report
PACKAGES   := $(addprefix -p meshline-,$(BINARIES))
# S3 and KMS are for the deployed `report` alone, SES for `notify`: `make up` does without. Whatever is checked is checked
# with them.
FEATURES   := --features meshline-report/lambda,meshline-notify/lambda
LOCKED     := $(if $(CI),--locked)
CARGO_TEST := cargo test $(LOCKED) $(FEATURES) --workspace

VENV  := .venv
NODE_MODULES := tests/browser/node_modules
PEERS_NODE   := tests/bench/peers/node/node_modules
BROWSER := MESHLINE=$(abspath $(TARGET))/debug/meshline
# Linting and building need no account; a Region must be named, and SAM must not look for one on the network.
SAM   := SAM_CLI_TELEMETRY=0 AWS_EC2_METADATA_DISABLED=true AWS_DEFAULT_REGION=$(or $(AWS_DEFAULT_REGION),us-east-1) $(VENV)/bin/sam

.PHONY: help up test fmt clippy cargo-test simulate api-fuzz browser lint-template build sam-build sam-build-dev deny bench mutants cold-start deploy deployed screenshots

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

up: ## start the local stack
	cargo run -p meshline -- up

TEST_STEPS := fmt clippy cargo-test simulate api-fuzz browser lint-template deployed

# Every step runs, whatever became of the one before. The counts are read from what cargo, unittest and node print, and a run
# that printed none has failed.
test: ## everything CI runs; ends with the number of tests passed and failed
	@log=$(TARGET)/test.log; mkdir -p $(TARGET); : > $$log; broken=; \
	for step in $(TEST_STEPS); do \
	  echo "== $$step"; from=$$SECONDS; \
	  $(MAKE) --no-print-directory $$step 2>&1 | tee -a $$log || broken="$$broken $$step"; \
	  echo "== $$step took $$((SECONDS - from)) s"; \
	done; \
	echo; [ -z "$$broken" ] && echo "steps passed: $(TEST_STEPS)" || echo "steps FAILED:$$broken"; \
	counts=$$(awk '/^test result: / {p += $$4; f += $$6; i += $$8} \
	  /^Ran [0-9]+ tests? in / {p += $$2} \
	  /^FAILED \(/ {n = 0; s = $$0; while (match(s, /(failures|errors)=[0-9]+/)) {split(substr(s, RSTART, RLENGTH), kv, "="); n += kv[2]; s = substr(s, RSTART + RLENGTH)} p -= n; f += n} \
	  /^ℹ pass / {p += $$3} /^ℹ (fail|cancelled) / {f += $$3} /^ℹ (skipped|todo) / {i += $$3} \
  END {print p + 0, f + 0, i + 0}' $$log); \
	set -- $$counts; [ $$3 -eq 0 ] || echo "$$3 ignored"; \
	echo "$$1 passed, $$2 failed"; \
	[ -z "$$broken" ] && [ $$1 -gt 0 ] && [ $$2 -eq 0 ]

fmt: ## is everything formatted
	cargo fmt --all -- --check

clippy: ## lints, warnings are errors
	cargo clippy $(LOCKED) $(FEATURES) --workspace --all-targets -- -D warnings

cargo-test: ## the Rust tests
	$(CARGO_TEST) --no-fail-fast

# `cargo build` finds everything built by the steps before.
# The seeds that time allows: a busy machine lives through fewer, and says how many.
SEEDS  ?= 200
SEED   ?=
WITHIN ?= $(if $(CI),120,86400)
simulate: ## worlds made from seeds, with faults, for simulated weeks (SEEDS=200 or SEEDS=7,19,23; SEED=7 replays one; WITHIN=SECONDS)
	cargo build $(LOCKED) $(FEATURES) --workspace --all-targets
	$(TARGET)/debug/meshline-tests $(if $(SEED),--seed $(SEED),--seeds $(SEEDS) --within $(WITHIN))

api-fuzz: $(VENV)-api/ready ## every operation of infra/openapi.json, asked what it takes and what it does not (MESHLINE_EXAMPLES=1000 asks for longer)
	cargo build $(LOCKED) $(FEATURES) --workspace --all-targets
	MESHLINE=$(abspath $(TARGET))/debug/meshline $(VENV)-api/bin/python tests/api/run.py

browser: $(NODE_MODULES)/ready ## the console in Chromium: what people do there, by whatever means; pictures are left in target/screenshots
	cargo build $(LOCKED) $(FEATURES) --workspace --all-targets
	$(BROWSER) SCREENSHOTS=$(abspath $(TARGET))/screenshots node --test --test-reporter=spec tests/browser/*.test.js

screenshots: $(NODE_MODULES)/ready ## take the pictures of README anew
	cargo build $(LOCKED) $(FEATURES) --workspace --all-targets
	$(BROWSER) node tests/browser/screenshots.js docs/images

lint-template: $(VENV)/ready $(VENV)-checkov/ready ## the templates: SAM's lint, cfn-lint, checkov, and our own rules
	$(SAM) validate --lint
	$(VENV)/bin/cfn-lint template.yaml infra/alarms.yaml infra/dashboard.yaml
	SKIP_PACKAGE_UPDATE_CHECK=true $(VENV)-checkov/bin/checkov --config-file tests/template/checkov.yaml
	$(VENV)/bin/python tests/template/check.py

# The dev build covers all targets, since cargo then unifies features as it does for `cargo test` and compiles nothing twice.
# Copies lose their line tables, which would make up most of what is packed and unpacked.
build: ## the Lambda binaries, into target/lambda-bin (PROFILE=dev is quicker, ARCH=arm64 cross-compiles)
ifneq ($(HOST),Linux-$(ARCH))
	@# Cross-compiling: `pip install cargo-lambda==1.9.2` brings the linker, `rustup target add` the target's standard library.
	@# Its own place for output, target/lambda, is where cargo keeps the profile of that name.
	cargo lambda build $(LOCKED) $(FEATURES) --profile $(PROFILE) --$(subst _,-,$(ARCH)) --lambda-dir $(TARGET)/cargo-lambda $(PACKAGES)
	@mkdir -p $(LAMBDA_BIN)
	@for bin in $(BINARIES); do cp -f $(TARGET)/cargo-lambda/$$bin/bootstrap $(LAMBDA_BIN)/$$bin; done
else
ifeq ($(PROFILE),dev)
	cargo build $(LOCKED) $(FEATURES) --workspace --all-targets
else
	cargo build $(LOCKED) $(FEATURES) --profile $(PROFILE) $(PACKAGES)
endif
	@mkdir -p $(LAMBDA_BIN)
	@for bin in $(BINARIES); do strip --strip-debug -o $(LAMBDA_BIN)/$$bin $(TARGET)/$(subst dev,debug,$(PROFILE))/$$bin; done
endif

sam-build: build $(VENV)/ready ## build, and lay out what `sam deploy` uploads
	$(SAM) build --parameter-overrides Architecture=$(ARCH)

sam-build-dev:
	$(MAKE) --no-print-directory sam-build PROFILE=dev

mutants: ## change shared/core in 1,700 ways, one at a time, and list what no test of it notices (hours; cargo install cargo-mutants)
	cargo mutants -p meshline-core --baseline skip --timeout 90 --output $(TARGET)

deny: ## advisories, licences, sources and who may name which crate (cargo install cargo-deny; DENY_FLAGS=--offline with a clone of the advisories)
	cargo deny $(DENY_FLAGS) --locked $(FEATURES) check

# Sizes to try a part with less: make bench PART=sweep SIZES=10000. Tables of catchup in a file: DATA=folder.
PART  ?= all
SIZES ?=
bench: ## measure, and print tables of figures (PART=core, webhooks, sweep, catchup, lateness, cost or pages; else all: half an hour)
	cargo build $(LOCKED) $(FEATURES) --workspace --release --example bench
	$(TARGET)/release/examples/bench $(PART) $(SIZES)

cold-start: build $(VENV)-peers/ready $(PEERS_NODE)/ready ## measure the functions' cold starts beside an empty one, and beside ingest in Python and Node
	cargo build $(LOCKED) -p meshline
	cargo build $(LOCKED) --profile $(PROFILE) -p meshline-echo
	strip --strip-debug -o $(LAMBDA_BIN)/echo $(TARGET)/$(subst dev,debug,$(PROFILE))/echo
	python3 tests/bench/coldstart/measure.py

deploy: sam-build ## build and deploy to the AWS account of the environment; asks before it changes anything
	SAM_CLI_TELEMETRY=0 $(VENV)/bin/sam deploy $(DEPLOY_FLAGS) --parameter-overrides Architecture=$(ARCH) $(PARAMETERS)

deployed: $(VENV)-emulator/ready ## deploy to an AWS emulator on this machine, and play the scenarios there
	CARGO_TEST="$(CARGO_TEST)" $(VENV)-emulator/bin/python tests/deployed/run.py

# Apart from each other: they pin different versions of the AWS SDK.
$(VENV)/ready: tests/template/requirements.txt
$(VENV)-checkov/ready: tests/template/requirements-checkov.txt
$(VENV)-emulator/ready: tests/deployed/requirements.txt
$(VENV)-api/ready: tests/api/requirements.txt
$(VENV)-peers/ready: tests/bench/peers/python/requirements.txt
$(VENV)/ready $(VENV)-checkov/ready $(VENV)-emulator/ready $(VENV)-api/ready $(VENV)-peers/ready:
	python3 -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --no-compile -r $<
	@touch $@

$(NODE_MODULES)/ready: tests/browser/package-lock.json
	@for it in node npm; do command -v $$it >/dev/null || { echo "$$it is missing: install Node 18 or newer (Debian: nodejs npm)" >&2; exit 1; }; done
	npm ci --prefix tests/browser --no-audit --no-fund --loglevel=error
	@touch $@

$(PEERS_NODE)/ready: tests/bench/peers/node/package-lock.json
	npm ci --prefix $(@D)/.. --no-audit --no-fund --loglevel=error
	@touch $@

# $(call pack,BINARY): ARTIFACTS_DIR comes from `sam build`.
define pack
	@test -x $(LAMBDA_BIN)/$(1) || { echo "$(LAMBDA_BIN)/$(1) is missing: use \`make sam-build\`" >&2; exit 1; }
	@# Lambda has glibc 2.34: what was linked against a newer one would be deployed and never start.
	@newest=$$(grep -ao 'GLIBC_2\.[0-9]*' $(LAMBDA_BIN)/$(1) | sort -Vu | tail -n 1); \
	[ "$(PROFILE)" = dev ] || [ "$$(printf '%s\n' "$$newest" GLIBC_2.34 | sort -V | tail -n 1)" = GLIBC_2.34 ] || \
	  { echo "$(1) needs $$newest of this machine's C library, Lambda has GLIBC_2.34: build it with ARCH=arm64 or on an older system" >&2; exit 1; }
	@cp $(LAMBDA_BIN)/$(1) "$(ARTIFACTS_DIR)/bootstrap"
endef

build-IngestFunction:   ; $(call pack,ingest)
build-RouteFunction:    ; $(call pack,route)
build-SlaCheckFunction: ; $(call pack,sla-check)
build-RelayFunction:    ; $(call pack,relay)
build-NotifyFunction:   ; $(call pack,notify)
build-OpsApiFunction:   ; $(call pack,ops-api)
build-ReportFunction:   ; $(call pack,report)
