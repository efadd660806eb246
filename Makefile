# The commands of this project; `make` alone lists them.
VENV := .venv
PYTHON ?= $(firstword $(foreach name,python3.12 python3.11 python3.13 python3,$(shell \
	$(name) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	2>/dev/null && echo $(name))))
RUN := $(VENV)/bin/python
# uv installs a gigabyte in seconds, with the certificates of the system, as pip does. It compiles
# nothing; what is imported is compiled then and must be kept, or each of a thousand processes of
# the tests does it anew.
INSTALL := $(VENV)/bin/uv pip install --quiet --system-certs --python $(RUN)
unexport PYTHONDONTWRITEBYTECODE
WORKFLOWS := $(wildcard .github/workflows/*.yml)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help env lock run train site test check lint types spelling workflows format screenshot \
	bench constants bench-app bench-attacks bench-scale fuzz clean
DATA ?=
BEFORE ?=
SERIES ?= 1000,5000
PEER_SERIES ?= 200
CORPUS ?=
SECONDS ?= 60

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

env: $(VENV)/made ## create the environment in .venv

# Install the lock of the weekly job first, so that the tests use the same versions.
$(VENV)/made: requirements.txt $(addprefix requirements/,lock.txt cluster.txt dev.txt clickhouse.txt)
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed, and none was found"; exit 1; }
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || sh .ci/install python3-venv
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet $$(grep ^uv== requirements/dev.txt)
	$(INSTALL) --no-deps --require-hashes --requirement requirements/lock.txt
	$(INSTALL) --requirement requirements/dev.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	$(INSTALL) --no-deps --upgrade --target $(VENV)/clickhouse \
		--requirement requirements/clickhouse.txt
	@touch $@

# Existing versions stay; LOCK=--upgrade takes the newest. A release must be a week old.
lock: env ## update requirements/lock.txt from requirements.txt; LOCK=--upgrade
	$(VENV)/bin/uv pip compile --quiet --no-config --universal --python-version 3.11 \
		--generate-hashes --no-strip-extras --no-annotate --no-emit-index-url \
		--exclude-newer "7 days" --constraint requirements/dev.txt $(LOCK) \
		--custom-compile-command "make lock" --output-file requirements/lock.txt requirements.txt

run: env ## train if necessary, and serve the page on http://127.0.0.1:7860
	@test models/manifest.json -nt config.toml && ! grep -q '"source": "sample"' models/manifest.json \
		|| $(RUN) -m trainer --source auto --output models
	MODELS_DIR=models $(RUN) app/app.py

train: env ## train on PyPI Stats, as the weekly job does
	$(RUN) -m trainer --output models

site: env ## train, write the site, and serve it on http://127.0.0.1:8000
	$(RUN) -m trainer --source auto --output models --site site
	$(RUN) -m http.server --bind 127.0.0.1 --directory site 8000

# In folder order: the files with the long tests come early, the unit tests last.
test: env ## all tests, including those in a browser
	$(RUN) -m pytest --numprocesses logical --dist loadfile --no-loadscope-reorder --durations 25

check: lint types spelling workflows ## the next four together

lint: env ## ruff: rules and format
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check

types: env ## mypy
	$(VENV)/bin/mypy

spelling: env ## typos
	$(VENV)/bin/typos

workflows: env ## actionlint, check-jsonschema, zizmor
	$(VENV)/bin/actionlint
	$(VENV)/bin/check-jsonschema --builtin-schema vendor.github-workflows $(WORKFLOWS)
	$(VENV)/bin/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(VENV)/bin/zizmor --offline --quiet .github

format: env ## fix and format the code with ruff
	$(VENV)/bin/ruff check --fix
	$(VENV)/bin/ruff format

screenshot: env ## take the pictures of README.md from the running page and site
	$(RUN) -m tests.browser.screenshots

bench: .venv-bench/made ## accuracy beside other methods; DATA=DIR of CSV files, BEFORE=DIR of the old method
	.venv-bench/bin/python -m benchmarks.accuracy $(if $(DATA),--data $(DATA)) \
		$(if $(BEFORE),--before $(BEFORE))

.venv-bench/made: requirements/bench.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python $(INSTALL) --requirement requirements/bench.txt
	@touch $@

bench-app: env ## speed and memory of the page
	$(RUN) -m benchmarks.app_speed

bench-attacks: env ## how long a visitor waits while another one attacks the page
	$(RUN) -m benchmarks.attacks

bench-scale: env .venv-bench/made ## thousands of packages; DATA=DIR of CSV files, SERIES=1000,5000, PEER_SERIES=200
	$(RUN) -m benchmarks.scale --series $(SERIES) --peer-series $(PEER_SERIES) --dask \
		$(if $(DATA),--data $(DATA))

constants: env ## learn what is pooled; DATA=DIR of the population, CORPUS=DIR of long series
	$(RUN) -m benchmarks.pooled.constants --data $(DATA) --corpus $(CORPUS)
	$(RUN) -m benchmarks.pooled.ablation --data $(DATA) --corpus $(CORPUS)

fuzz: env ## feed broken input to every reader of input; SECONDS=60 for all targets together
	$(RUN) -m tests.fuzz --seconds $(SECONDS)

clean: ## remove everything that the commands above created
	rm -rf $(VENV) .venv-bench bench-results *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis models site
