# make demo                      set up .venv, then run both recipes on the embedded sample corpus
# make test                      set up .venv, then run the tests (ARGS="-k mixture" goes to pytest)
# make test PYTHON=python3.10    the same with another interpreter, in .venv-3.10
# make bench                     run the benchmarks that need no model and no GPU
# make try                       translate four lines with the models in models/, no training
# make docs                      build the pages of docs/ into build/site
# make lint                      ruff and mypy
# make clean                     remove what was made, but for the environments
# make distclean                 remove the environments (.venv, .venv-*) too
#
# TORCH="torch==2.9.0 [options of pip]" sets up another torch; VENV=folder another environment.

DEFAULT_PYTHONS = python3.11 python3.12 python3
find_python = $(shell sh scripts/find_python.sh $(1))
version_of = $(shell test -z "$(1)" || $(1) -c 'import sys; print("%d.%d" % sys.version_info[:2])')

INTERPRETER := $(call find_python,$(or $(PYTHON),$(DEFAULT_PYTHONS)))

# The default interpreter has .venv, any other version an environment of its own beside it.
ifdef PYTHON
VERSION := $(call version_of,$(INTERPRETER))
DEFAULT_VERSION := $(call version_of,$(call find_python,$(DEFAULT_PYTHONS)))
VENV ?= .venv$(if $(filter-out $(DEFAULT_VERSION),$(VERSION)),-$(VERSION))
else
VENV ?= .venv
endif

# The others need a model, published weights or a GPU.
BENCHMARKS = start fused_loss stage2_step step_to_before decoder_only plain_training amp_memory \
	epoch_start curation

# More threads than processes only take the two cores from each other.
single_threaded = OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

.DEFAULT_GOAL := help
.PHONY: help environment demo try test docs bench lint clean distclean

help:
	@sed -n '/^# make/s/^# //p' Makefile

environment:
ifeq ($(INTERPRETER),)
	@echo "PYTHON=$(PYTHON): no such interpreter runs here; give a name or path of Python 3.9 to 3.13." >&2
	@false
else
	@$(INTERPRETER) scripts/set_up.py $(VENV) --torch "$(TORCH)"
endif

demo: environment
	$(single_threaded) $(VENV)/bin/python examples/demo.py --work demo

try: environment
	@printf '%s\n' 'Can you help me?' 'I have three dogs.' 'Please close the door.' | \
		$(VENV)/bin/fairseq-instr translate --instruct "formal, html-bold"
	@printf '%s\n' 'Non riesco ad aprire il file.' | \
		$(VENV)/bin/fairseq-instr translate --model models/it-nl-ro -s it -t ro

# The tests of one file stay in one process: they share what the file trains.
test: environment
	$(single_threaded) $(VENV)/bin/python -m pytest -n logical --maxprocesses 4 --dist loadfile $(ARGS)

docs: environment
	$(VENV)/bin/mkdocs build --quiet

bench: environment
	for benchmark in $(BENCHMARKS); do \
		OMP_NUM_THREADS=1 $(VENV)/bin/python benchmarks/$$benchmark.py || exit 1; \
	done
	$(VENV)/bin/python benchmarks/report.py

lint: environment
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

clean:
	rm -rf build dist demo .pytest_cache .hypothesis .ruff_cache .mypy_cache .coverage
	find . -path './.venv*' -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean
	rm -rf .venv .venv-* *.egg-info
