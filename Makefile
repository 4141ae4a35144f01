# Targets for people who work on the project; `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help setup test lint format types build ci release

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

ci: ## Run everything that must hold, from nothing
	.ci/run

release: ## Train the released model anew (CORPUS=folder with the corpora), with cross-validated figures
	boilerplate-ds hydrate labels/standoff/lines-dev --from $(CORPUS)
	boilerplate-ds train labels/starter labels/standoff/lines-dev \
	  --wcxb $(CORPUS)/wcxb-dev.parquet --html $(CORPUS)/lines-dev-html.parquet --folds 5 -o models/web
