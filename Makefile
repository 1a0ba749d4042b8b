# Everything a developer does. `make` alone lists it. Needs Python 3.13, make and git; the rest is installed into .venv.
# The tests also type commands with jq, iconv, unzip, bzip2, xz and zstd, which systems bring or package.

TOOLS := .venv/tools/bin/python
PIP_COMPILE = .venv/tools/bin/python -m uv pip compile --quiet --universal --python-version 3.13 --generate-hashes --no-header

# What runs the local stack, and what tests it. Each is a stamp file, so nothing is installed twice.
RUN := .venv/tools/.local .venv/aws/.aws .venv/sam/.sam
DEV := .venv/tools/.dev
PRICES := .venv/prices/.prices
FRAMES := .venv/frames/.frames
PAGES := .venv/pages/.pages
DASHBOARD := .venv/dashboard/.dashboard

# One test more at once than there are processors (tests/conftest.py), each process with a local AWS of its own.
SIDE_BY_SIDE := --numprocesses auto --dist worksteal

# Tests on a deployed stack mostly wait. The tests of one stack are played in one process.
STACKS_SIDE_BY_SIDE := --numprocesses 4 --dist loadscope

# Of `make deploy`, an option for a variable, and one without a value. Only what is typed behind make counts: a shell may have
# an EMAIL of its own. It arrives as it was typed: make and the shell see no `$` and no quotation mark in it.
typed = $(if $(filter command,$(origin $1)),$(value $1))
quoted = '$(subst ','\'',$(call typed,$1))'
option = $(if $(filter command,$(origin $1)),$2=$(call quoted,$1))
switch = $(if $(call typed,$1),$2)
export FILE API AUTH LIVE API_URL PARAMETERS CHROMIUM HOURS QUERY RUN OUT

# Packages are installed without bytecode. Each of hundreds of processes would compile them again if none were written.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup installed setup-run demo local dashboard query doctor command quick test check lint types template unit faults system pages bench fuzz docs deploy kept-bucket release lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' Makefile

demo: setup-run ## Run the whole stack on this machine, without an AWS account: FILE=my.jsonl, API=files, AUTH=aws, LIVE=1 (with ANTHROPIC_API_KEY), API_URL=https://…
	@exec $(TOOLS) -m local.demo

local: setup-run ## Leave the local stack up until Ctrl-C, and print commands to try
	@exec $(TOOLS) -m local.up

# With PICTURE=docs/pictures/dashboard.png, Chromium takes a picture of the page too.
dashboard: $(DASHBOARD) $(if $(PICTURE),$(PAGES)) ## Draw the dashboard of the stack of `make local` as a page: HOURS=3, OUT=file
	@.venv/dashboard/bin/python -m local.dashboard
	@$(if $(PICTURE),.venv/pages/bin/python -m tests.pages.dashboard $(or $(OUT),.demo/dashboard.html) $(PICTURE))

query: .venv/tools/.local ## Run a saved query of the stack of `make local`: QUERY=RunningQuery, HOURS=3, RUN=id for RunQuery
	@$(TOOLS) -m local.dashboard.query

doctor: .venv/tools/.local ## Check a deployed stack, and say what to type: STACK=conveyor, REGION=eu-central-1, OPTIONS="--wait 10"
	@PYTHONPATH=cli:layers/conveyor $(TOOLS) -m conveyor_cli doctor $(if $(STACK),--stack $(STACK)) $(if $(REGION),--region $(REGION)) $(OPTIONS)

command: $(DEV) ## Install the command conveyor for this user, into an environment of its own (or: pipx install ./cli)
	$(TOOLS) -m uv tool install --python $(TOOLS) --force ./cli

quick: lint types ## Lint, types and the quick unit tests, in about a minute: for while you write
	$(TOOLS) -m pytest tests/unit tests/cli -m "not slow" --hypothesis-profile quick $(SIDE_BY_SIDE)

test: ## Everything continuous integration runs: check, unit, system
	@$(MAKE) --no-print-directory -j3 installed types lint template
	@$(MAKE) --no-print-directory unit system

check: $(DEV) ## Lint, format, types, template
	@$(MAKE) --no-print-directory -j2 types lint template

lint: $(DEV)
	$(TOOLS) -m ruff check
	$(TOOLS) -m ruff format --check

types: $(DEV)
	$(TOOLS) -m mypy

template: $(DEV)
	$(TOOLS) -c 'from cfnlint.runner import main; main()' template.yaml samples/*/*.yaml

unit: $(DEV) $(PRICES) $(FRAMES) $(DASHBOARD) .venv/aws/.aws ## Tests that need no deployed stack
	$(TOOLS) -m pytest tests --ignore=tests/system --ignore=tests/pages $(SIDE_BY_SIDE)

faults: $(DEV) .venv/aws/.aws ## Crash the functions at every point, and in HISTORIES=2000 random histories: takes most of an hour
	HISTORIES=$(or $(HISTORIES),2000) $(TOOLS) -m pytest tests/faults/test_crashes.py $(SIDE_BY_SIDE)

system: $(DEV) $(RUN) ## Tests on the deployed local stack
	$(TOOLS) -m pytest tests/system $(STACKS_SIDE_BY_SIDE)

# The samples are written with the core; the browser's environment knows the files only.
pages: $(DEV) $(PAGES) ## Check report.html in Chromium (CHROMIUM=path), and take its pictures for the docs (PICTURES=folder)
	rm -rf .pages
	PYTHONPATH=layers/conveyor $(TOOLS) -m tests.support.page_samples .pages
	.venv/pages/bin/python -m pytest tests/pages --confcutdir=tests/pages --numprocesses auto
	.venv/pages/bin/python -m tests.pages.pictures .pages $(or $(PICTURES),docs/pictures)

bench: setup ## Measure time, memory, requests and cost, compared with other tools: ten minutes; BENCH="validate sdk" for some groups
	@exec $(TOOLS) -m bench $(BENCH)

fuzz: $(DEV) .venv/tools/.fuzz ## Test properties with generated inputs, for SECONDS=60; Linux only
	$(TOOLS) -m tests.fuzz --seconds $(or $(SECONDS),60)

docs: $(DEV) ## Write docs/settings.md and docs/permissions.md from template.yaml
	PYTHONPATH=layers/conveyor $(TOOLS) -m docs.generate

deploy: .venv/tools/.local .venv/sam/.sam ## Deploy to AWS, asking at most four things: STACK=name, REGION, EMAIL, SECRET, WORKSPACE, YES=1, PARAMETERS="HoldHours=24 …"
	@exec env PYTHONPATH=layers/conveyor $(TOOLS) -m deployment $(call option,STACK,--stack) $(call option,REGION,--region) \
	  $(call option,EMAIL,--email) $(call option,SECRET,--secret) $(call option,WORKSPACE,--workspace) \
	  $(call option,PARAMETERS,--parameter) $(call option,ARCHITECTURE,--parameter=Architecture) \
	  $(call option,SETTINGS,--settings) $(call option,BUILT,--built) \
	  $(call switch,YES,--yes) $(call switch,ACCEPT_LOSS,--accept-loss) $(if $(filter no,$(call typed,DOCTOR)),--no-doctor)

kept-bucket: .venv/tools/.local ## Give a new stack the bucket that a deleted one has left, before it is deployed with BucketName: STACK=conveyor, BUCKET=name
	@$(TOOLS) -m deployment.kept_bucket $(call quoted,STACK) $(call quoted,BUCKET)

# The environments install side by side: half the time on two cores.
setup: ## Install everything into .venv (the other targets install what they need)
	@$(MAKE) --no-print-directory -j3 installed

installed: $(DEV) $(RUN) $(PRICES) $(FRAMES) $(DASHBOARD)
	@:

setup-run:
	@$(MAKE) --no-print-directory --silent -j3 $(RUN)

.venv/tools/.local: requirements/local.txt
	@requirements/install tools local

.venv/tools/.dev: requirements/dev.txt .venv/tools/.local
	@requirements/install tools dev

.venv/tools/.fuzz: requirements/fuzz.txt .venv/tools/.dev
	@requirements/install tools fuzz

.venv/aws/.aws: requirements/aws.txt
	@requirements/install aws aws

.venv/sam/.sam: requirements/sam.txt
	@requirements/install sam sam

# Only the tables of prices in these packages are read, so nothing that they need is installed.
.venv/prices/.prices: requirements/prices.txt
	@requirements/install prices prices

# pandas and Polars, for the recipes of docs/recipes. They take 300 MB, and nothing else needs them.
.venv/frames/.frames: requirements/frames.txt
	@requirements/install frames frames

# matplotlib, for `make dashboard`.
.venv/dashboard/.dashboard: requirements/dashboard.txt
	@requirements/install dashboard dashboard

# Playwright and an accessibility checker, for `make pages`. Chromium comes from the system.
.venv/pages/.pages: requirements/pages.txt
	@requirements/install pages pages

release: $(DEV) ## Check that a release can be made, and print what to type for it: VERSION=0.2.0
	@PYTHONPATH=layers/conveyor $(TOOLS) -m tests.golden.release $(VERSION)

lock: $(DEV) ## Write the lock files again after a change of a requirements file (UPGRADE=--upgrade takes newer versions)
	cd layers/conveyor && ../../$(PIP_COMPILE) $(UPGRADE) pyproject.toml --output-file requirements.txt
	cd layers/conveyor && ../../$(PIP_COMPILE) $(UPGRADE) build.in --output-file build.txt
	cd requirements && for name in local dev fuzz aws sam frames pages dashboard; do ../$(PIP_COMPILE) $(UPGRADE) $$name.in --output-file $$name.txt || exit 1; done
	cd requirements && ../$(PIP_COMPILE) $(UPGRADE) --no-deps prices.in --output-file prices.txt

clean: ## Remove everything that the other targets made
	rm -rf .venv .aws-sam .demo .pages .mypy_cache .pytest_cache .ruff_cache .hypothesis bench.json
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
