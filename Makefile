# Set-up, operation and tests of onemap. Every command installs what it needs; `make help` lists them.

CONTROL = sh deploy/onemap.sh
PORT ?=
HOST ?=
DEMO ?=
ARGS ?=
FROM ?=
TO ?=
MINUTES ?=

.DEFAULT_GOAL := help
.PHONY: help run start stop status test check bench bench-peers e2e fuzz bless backup restore

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: ## set up what is missing and run in the foreground (PORT= HOST= DEMO=small|district|city|none)
	@$(CONTROL) run --host "$(HOST)" --port "$(PORT)" --demo "$(DEMO)"

start: ## the same in the background; returns once the platform answers
	@$(CONTROL) start --host "$(HOST)" --port "$(PORT)" --demo "$(DEMO)"

stop: ## end the platform; leaves no process behind
	@$(CONTROL) stop

status: ## what runs, and whether it is healthy (exit code 3: not running)
	@$(CONTROL) status

test: ## set up what is missing and run every suite (ARGS= passes arguments to pytest, and runs it alone)
	@$(CONTROL) test $(ARGS)

check: ## style, types, import directions, migrations; the client's types and style
	@$(CONTROL) check

bench: ## speed, ours against the peers' that are installed: a table and var/bench.json
	@$(CONTROL) bench $(ARGS)

bench-peers: ## install the peers that Debian and PyPI have
	@$(CONTROL) bench-peers

e2e: ## browser tests alone
	@$(CONTROL) e2e $(ARGS)

fuzz: ## generated requests at every door, for an hour (MINUTES=)
	@$(CONTROL) fuzz --minutes "$(MINUTES)"

bless: ## record the golden pictures and answers anew; look at the difference before committing it
	@$(CONTROL) bless $(ARGS)

backup: ## write database, media and secrets into a folder (TO=, default var/backups/<time>)
	@$(CONTROL) backup --to "$(TO)"

restore: ## replace this installation's data by a backup's (FROM=); what was there is kept aside
	@$(CONTROL) restore --from "$(FROM)"
