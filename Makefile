# Targets for people who work on the project; `make help` lists them.
.DEFAULT_GOAL := help
SECONDS ?= 300
.PHONY: help setup test lint format types build docs fuzz ci release

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: ## Install the package and what development needs, editable
	pip install -e '.[dev]'
	pre-commit install

test: ## Run the tests
	pytest

lint: ## Check style
	ruff check .
	ruff format --check .

format: ## Mend style
	ruff check --fix .
	ruff format .

types: ## Check types
	mypy

build: ## Labels in; a model, a dataset and a report out
	boilerplate-ds build

docs: ## Build the documentation site into build/site, after writing the pages that are generated
	python tools/cli_reference.py
	python tools/licences.py
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict

fuzz: ## Fuzz the readers of HTML, text and labels (SECONDS=300 each; needs: pip install atheris)
	python fuzz/seeds.py build/fuzz
	for name in html text store; do \
	  python fuzz/fuzz_$$name.py build/fuzz/$$name -max_total_time=$(SECONDS) -max_len=20000 \
	    -artifact_prefix=build/fuzz/$$name- -rss_limit_mb=4000 -print_final_stats=1 || exit 1; \
	done

ci: ## Run everything that must hold, from nothing
	.ci/run

release: ## Train the released model anew (CORPUS=folder with the corpora), with cross-validated figures
	boilerplate-ds hydrate labels/standoff/lines-dev --from $(CORPUS)
	boilerplate-ds hydrate labels/standoff/wcxb-lines --from $(CORPUS)
	boilerplate-ds train labels/starter labels/standoff/lines-dev labels/standoff/wcxb-lines \
	  --wcxb $(CORPUS)/wcxb-dev.parquet --html $(CORPUS)/lines-dev-html.parquet --folds 5 -o models/web
