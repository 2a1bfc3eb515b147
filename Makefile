# The everyday commands. Variables: BUILD (folder), TYPE (Release, Debug, Sanitize, ThreadSanitize), JOBS, PREFIX, CMAKE_FLAGS.
BUILD ?= build
TYPE ?= Release
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
GENERATOR := $(if $(shell command -v ninja),-G Ninja)
SOURCES := $(shell find src tests examples -name '*.cpp' -o -name '*.hpp')

.PHONY: build configure test bench accuracy fmt lint asan install clean tsan

build: configure
	cmake --build $(BUILD) -j $(JOBS)

configure:
	cmake -S . -B $(BUILD) $(if $(wildcard $(BUILD)/CMakeCache.txt),,$(GENERATOR)) -DCMAKE_BUILD_TYPE=$(TYPE) -DCMAKE_INSTALL_PREFIX=$(PREFIX) $(CMAKE_FLAGS)

test: build
	ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)

# The same tests under the address and undefined-behaviour sanitizers.
asan:
	$(MAKE) test BUILD=$(BUILD)-sanitize TYPE=Sanitize

# The engine and both laws under the thread sanitizer.
tsan:
	$(MAKE) configure BUILD=$(BUILD)-tsan TYPE=ThreadSanitize
	cmake --build $(BUILD)-tsan -j $(JOBS) --target vmaprun test_exec test_laws test_independence test_derivatives test_workloads
	ctest --test-dir $(BUILD)-tsan --output-on-failure -R '^(unit_exec|laws/|command|examples)'

bench: build
	tests/bench/run --build $(BUILD)

# Writes docs/accuracy.md, on a machine that runs all instruction sets. Needs libmpfr-dev, which nothing else does.
accuracy: configure
	cmake --build $(BUILD) -j $(JOBS) --target accuracy_table
	$(BUILD)/tests/accuracy/accuracy_table --table 100000 > docs/accuracy.md

fmt:
	clang-format -i $(SOURCES)

lint: configure
	clang-tidy -p $(BUILD) --quiet $(filter %.cpp,$(SOURCES))

install: build
	cmake --install $(BUILD)

clean:
	rm -rf $(BUILD) $(BUILD)-sanitize $(BUILD)-tsan
