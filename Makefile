# One file, two commands to remember: `make lab` and `make test`. Both install what they need
# into .venv first, which takes some minutes once and nothing afterwards.

.DEFAULT_GOAL := help
.PHONY: help lab test run render bench badges ledger overview sync lint weights lock clean

NB ?= all# for run, render, lint and weights: 10 or 10,11
REPO ?=# for badges: owner/name
PYTHON ?=# a Python to prefer for .venv
CELL_SECONDS ?= 1800# limit for one cell of a notebook

READY := .venv/.ready
RUN := .venv/bin/python
COURSE := $(RUN) .ci/course.py
FULL := NOTEBOOK_PROFILE=full KEEP_CHECKPOINTS=1
PYTEST := $(RUN) -m pytest
PIP := $(RUN) -m pip --disable-pip-version-check --no-input --timeout 30 --retries 3

# Notebooks run in other folders: a relative path must mean the same there.
ifdef FASHION_MNIST_DIR
override FASHION_MNIST_DIR := $(or \
	$(shell cd "$(FASHION_MNIST_DIR)" 2>/dev/null && pwd),$(FASHION_MNIST_DIR))
export FASHION_MNIST_DIR
endif

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

lab: $(READY)  ## open the notebooks in JupyterLab
	$(RUN) -m jupyterlab $(if $(filter 0,$(shell id -u)),--allow-root) notebooks

test: $(READY)  ## every check: style, units, all notebooks at the profile smoke, a real browser
	$(RUN) -m ruff check .
	$(PYTEST) -q -rs -n auto --maxprocesses 4 --dist loadscope -m "not browser" tests
	PYTHONPATH=.ci NOTEBOOK_PROFILE=smoke $(PYTEST) -q -n auto --maxprocesses 4 --dist loadscope \
		-p nbval_guard --nbval-lax --nbval-current-env --nbval-cell-timeout=300 \
		--nbval-sanitize-with=.ci/nbval-sanitize.cfg notebooks
	$(PYTEST) -q -rs -m browser tests/browser

run: $(READY)  ## execute notebooks (NB=10) and write them to build/ as HTML pages
	$(COURSE) run $(NB) --cell-seconds $(CELL_SECONDS)

render: $(READY)  ## execute notebooks (NB=10), keep the outputs in them, renew README.md's tables
	$(COURSE) render $(NB) --cell-seconds $(CELL_SECONDS)
	$(COURSE) ledger

bench: $(READY)  ## measure the sliders' and the GAN's speed
	$(RUN) tests/benchmarks/sliders.py
	$(RUN) tests/benchmarks/gan_steps.py

badges: $(READY)  ## write the public address everywhere (REPO=owner/name; default: git's origin)
	$(COURSE) badges $(if $(REPO),--repo $(REPO))

ledger: $(READY)  ## collect claims and minutes from the notebooks into README.md
	$(COURSE) ledger

overview: $(READY)  ## draw README.md's picture with the shipped StyleGAN
	$(COURSE) overview

sync: $(READY)  ## refresh the notebooks' owner cells from helpers
	$(COURSE) sync

lint: $(READY)  ## check style, and the structure of notebooks (NB=10)
	$(RUN) -m ruff check .
	$(COURSE) lint $(NB)

# Hours: the classifier behind the metrics, then every notebook that trains to the end. Finished
# trainings keep their last checkpoint until all are done, so after an interruption none runs twice.
# Those of a single lesson leave the other lessons' checkpoints alone. Claims that fail (status 2)
# are told at the end.
TRAIN := $$(grep -lE 'fit_or_load|grow_or_load|save_weights|over_seeds' notebooks/*.ipynb | paste -sd, -)
weights: $(READY)  ## train what ships in helpers/weights anew, all or a lesson's (NB=13)
ifeq ($(NB),all)
	$(FULL) $(RUN) -m helpers.classifier
	$(FULL) $(COURSE) run --go-on --cell-seconds 86400 $(TRAIN); status=$$?; \
		if [ $$status = 0 ] || [ $$status = 2 ]; then \
			$(RUN) -c 'from helpers import training; training.forget_checkpoints()'; \
		fi; exit $$status
else
	NOTEBOOK_PROFILE=full $(COURSE) run --go-on --cell-seconds 86400 $(NB)
endif

lock:  ## resolve .ci/requirements.lock anew (needs uv)
	uv pip compile --quiet --upgrade --universal --python-version 3.10 --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --extra test \
		requirements.txt pyproject.toml --output-file .ci/requirements.lock

clean:  ## remove .venv and all else that was made here
	rm -rf .venv build dist *.egg-info .ruff_cache .pytest_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

# .venv is good as long as its helpers are the ones of this folder, which may have been moved.
ifneq ($(shell cd .venv 2>/dev/null && bin/python -c 'import helpers; print(helpers.__file__)' \
	2>/dev/null),$(CURDIR)/helpers/__init__.py)
.PHONY: $(READY)
endif

SUITABLE := import ensurepip, sys, venv; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))

$(READY): .ci/requirements.lock pyproject.toml
	@rm -f $@
	@$(RUN) -c '$(SUITABLE)' 2>/dev/null || { \
		for python in $(PYTHON) python3 python3.13 python3.12 python3.11 python3.10 none; do \
			$$python -c '$(SUITABLE)' 2>/dev/null && break; \
		done; \
		if [ $$python = none ]; then \
			echo "The course needs Python 3.10, 3.11, 3.12 or 3.13 with its module venv (on Debian"; \
			echo "and Ubuntu the package python3-venv). If you have one: make PYTHON=/path/to/it"; \
			exit 1; \
		fi >&2; \
		echo "Making .venv with $$($$python --version)"; \
		$$python -m venv --clear .venv; \
	}
	@echo "Installing (up to 10 minutes the first time)"
	@$(PIP) install --quiet --requirement .ci/requirements.lock && \
		$(PIP) install --quiet --no-deps --no-build-isolation --editable . || { \
		echo "The installation did not finish. Is the package index in reach? Try again: make goes"; \
		echo "on where it stopped."; exit 1; } >&2
	@touch $@
