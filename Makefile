# One build for everything: warnings are errors (see Package.swift). Plain `swift build` and `swift test` work as well.
export SWIFT_UV_STRICT = 1

sources = Package.swift $(wildcard Sources Tests Examples Benchmarks/Package.swift Benchmarks/Sources)

# The default linker warns about each of the address sanitizer's 700 symbols.
address_linker = $(if $(filter Linux,$(shell uname)),-Xswiftc -use-ld=lld)

.DEFAULT_GOAL = help
.PHONY: help demo test hammer lint format bench instructions instructions-check everyday udp switches coroutines-bench files trees curves latency plain sanitize coverage docs docs-check api-check dependencies soak fuzz report report-quick report-page report-check https-check bench-peers bench-check

help: ## Says what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: dependencies ## Builds and runs the tour: timers, TCP echo, errors, backpressure, async code
	swift build --product tour
	@ulimit -S -n 4096 2> /dev/null; .build/debug/tour # Its 1,000 clients are two descriptors each.

test: dependencies ## Runs the tests
	Scripts/run-tests

hammer: dependencies ## Runs each module's tests thirty times in each of four ways; OPTIONS="--runs 5 --ways plain,core UVTests"
	Scripts/hammer $(OPTIONS)

lint: ## Checks format, house rules and README
	Scripts/lint

format: ## Formats all sources in place
	swift format format --in-place --recursive --parallel $(sources)

bench: dependencies ## Compares echo servers; OPTIONS="--rounds 1 --seconds 1" for a quick look
	swift run -c release --package-path Benchmarks compare $(OPTIONS)

report: dependencies ## Measures everything beside every rival that is there, and draws it; OPTIONS="--output PAGE --compare old.json"
	swift build -c release --package-path Benchmarks
	"$$(Benchmarks/Scripts/report-python)" Benchmarks/Report $(OPTIONS)

report-quick: dependencies ## The same in two minutes: fewer workloads, short windows
	swift build -c release --package-path Benchmarks --product compare
	swift build -c release --package-path Benchmarks --product tasks
	"$$(Benchmarks/Scripts/report-python)" Benchmarks/Report --quick $(OPTIONS)

report-page: ## Draws docs/report.html and the README's pictures from docs/report.json
	"$$(Benchmarks/Scripts/report-python)" Benchmarks/Report --from docs/report.json --output docs/report.html --pictures docs

report-check: ## Checks that docs/report.html and its pictures are the redraw of docs/report.json, and opens the page in headless Chromium
	Scripts/install-dependencies chromium
	"$$(Benchmarks/Scripts/report-python playwright)" -m unittest discover -s Benchmarks/Report/tests
	"$$(Benchmarks/Scripts/report-python)" Benchmarks/Report/redrawn.py Benchmarks/.build/report-sample.html
	"$$(Benchmarks/Scripts/report-python playwright)" Benchmarks/Report/check.py docs/report.html Benchmarks/.build/screenshots
	"$$(Benchmarks/Scripts/report-python playwright)" Benchmarks/Report/check.py Benchmarks/.build/report-sample.html

https-check: dependencies ## Opens the example file-server over HTTPS in headless Chromium
	Scripts/install-dependencies chromium libnss3-tools:certutil openssl
	swift build --product file-server
	"$$(Benchmarks/Scripts/report-python playwright)" Scripts/https-in-chromium

bench-peers: ## Installs and builds what `make report` compares with: Go, tokio, Boost.Asio, Node, uvloop, gevent, redis-server, nginx
	Benchmarks/Scripts/bench-peers

bench-check: instructions-check ## Fails when a hot path runs 5 % more instructions, or allocates more, than Benchmarks/instructions.json says

instructions: dependencies ## Counts the instructions for an echoed KiB of each server, by callgrind
	Benchmarks/Scripts/instructions

instructions-check: ## Fails when a server's instructions are more than 5 % above those in Benchmarks/instructions.json
	Scripts/install-dependencies valgrind
	Benchmarks/Scripts/instructions --check Benchmarks/instructions.json

switches: dependencies ## Measures switches between tasks, spawns and wake-ups
	swift run -c release --package-path Benchmarks tasks

coroutines-bench: dependencies ## Measures coroutines beside Python's greenlet, gevent and asyncio; OPTIONS="--rounds 3"
	swift build -c release --package-path Benchmarks --product coroutines
	swift run -c release --package-path Benchmarks coroutines \
		--python "$$(Benchmarks/Scripts/python-environment)" $(OPTIONS)

files: dependencies ## Measures reads of files, beside C on libuv, SwiftNIO, Node and dd; OPTIONS="--rounds 2 --cold 0"
	swift run -c release --package-path Benchmarks files $(OPTIONS)

udp: dependencies ## Measures datagrams beside C on libuv: echoes, bursts, and sends alone
	swift run -c release --package-path Benchmarks compare --scenarios udp,udp-bursts $(OPTIONS)
	swift run -c release --package-path Benchmarks udp-sends

everyday: dependencies ## Measures timeouts, short connections, lines, RESP and files beside the best peers; OPTIONS=--quick
	Benchmarks/Scripts/everyday $(OPTIONS)

curves: dependencies ## Measures and draws what an event costs beside up to 19,000 idle connections: select to async
	swift run -c release --package-path Benchmarks curves --svg docs/curves.svg $(OPTIONS)

latency: dependencies ## Measures the latency of all eleven server models at 1 to 256 connections
	swift run -c release --package-path Benchmarks latency $(OPTIONS)

trees: dependencies ## Measures copying and removing a tree of 10,000 files, beside cp -r and rm -rf
	swift run -c release --package-path Benchmarks trees $(OPTIONS)

plain: dependencies ## Runs the tests without the runtime's shortcuts, and counts what they save; needs valgrind
	Scripts/plain

soak: dependencies ## Does random things with everything for ten minutes, then loads a server in many ways
	Scripts/chaos --seconds 600
	Scripts/soak

fuzz: dependencies ## Gives parsers what nobody would send, a minute each; needs a toolchain with libFuzzer
	Scripts/fuzz

sanitize: dependencies ## Runs the tests under the thread and the address sanitizer
	TSAN_OPTIONS="suppressions=$(CURDIR)/Tests/tsan.supp:atexit_sleep_ms=50" Scripts/run-tests --sanitize=thread --scratch-path .build-tsan
	ASAN_OPTIONS="suppressions=$(CURDIR)/Tests/asan.supp" LSAN_OPTIONS="suppressions=$(CURDIR)/Tests/lsan.supp" \
		Scripts/run-tests --sanitize=address --scratch-path .build-asan $(address_linker)

coverage: dependencies ## Counts how much of libuv can be reached from Swift
	swift build --target UV
	Scripts/libuv-coverage

docs: dependencies ## Builds the documentation as a static site in .build-docs/site; OPTIONS="--base-path /swift-uv"
	Scripts/docs $(OPTIONS)

docs-check: ## Opens the site of `make docs` in headless Chromium: first page, a symbol, an article, links
	Scripts/install-dependencies chromium
	"$$(Benchmarks/Scripts/report-python playwright)" Scripts/docs-in-chromium

api-check: dependencies ## Fails when the public API is not what docs/api says; Scripts/api --update writes it
	Scripts/api

dependencies: ## Installs pkg-config and libuv if they are missing
	@Scripts/install-dependencies
