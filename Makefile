# The only build file.  `make help` lists the targets.
#
#   BUILD=DIR    where output goes (build)
#   SAN=1        with AddressSanitizer and UndefinedBehaviorSanitizer; `make san` sets both

BUILD ?= build
SAN   ?=
JOBS  ?= $(shell nproc)
CC    = gcc
Q     = $(if $(V),,@)
say   = @printf '  %-5s %s\n'

LIBS     := libh2o-evloop libpq yajl openssl
CPPFLAGS := -D_POSIX_C_SOURCE=200809L -MMD -MP $(shell pkg-config --cflags $(LIBS) 2>/dev/null)
WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
LDLIBS   := $(shell pkg-config --libs $(LIBS) 2>/dev/null) -lwslay -lm -pthread

ifeq ($(SAN),)
OPTIMIZE ?= -O2 -D_FORTIFY_SOURCE=2
CFLAGS  := -std=c11 -g $(OPTIMIZE) -fstack-protector-strong -fPIE -pthread
LDFLAGS := -pie -Wl,-z,relro,-z,now,--as-needed
else ifeq ($(SAN),thread)
CFLAGS  := -std=c11 -g -O1 -fno-omit-frame-pointer -fPIE -pthread -fsanitize=thread
LDFLAGS := -pie -fsanitize=thread
else ifeq ($(SAN),fuzz)
CC      := clang
WARN    := -Wall
CFLAGS  := -std=c11 -g -O1 -fno-omit-frame-pointer -pthread -fsanitize=fuzzer-no-link,address,undefined
LDFLAGS := -fsanitize=fuzzer,address,undefined
else
CFLAGS  := -std=c11 -g -O1 -fno-omit-frame-pointer -fPIE -pthread \
           -fsanitize=address,undefined -fno-sanitize-recover=all
LDFLAGS := -pie -fsanitize=address,undefined
WARN    += -Wno-format-truncation # gcc sees null formats where the sanitizer checks for them
endif

COMPILER_FLAGS := -Icodegen -I$(BUILD)/codegen -Iruntime/include
RUNTIME_FLAGS  := -Iruntime -Iruntime/include -DH2O_USE_LIBUV=0

compiler_sources := $(wildcard codegen/*.c codegen/*/*.c codegen/*/*.re codegen/*/*.y)
compiler_objects := $(addprefix $(BUILD)/,$(addsuffix .o,$(basename $(compiler_sources))))
compiler_headers := $(patsubst %.y,$(BUILD)/%.h,$(filter %.y,$(compiler_sources)))
runtime_objects  := $(patsubst %.c,$(BUILD)/%.o,$(wildcard runtime/*.c runtime/*/*.c))
unit_tests       := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/1-unit/*_test.c))
sql_tests        := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/3-sql/*_test.c))
fuzz_targets     := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/fuzz/fuzz_*.c))
programs         := $(BUILD)/pgstack $(BUILD)/libpgs.a
ours             := $(wildcard codegen/*.[ch] codegen/*/*.[ch] runtime/*.[ch] runtime/*/*.[ch] runtime/include/pgs/*.h \
                    tests/1-unit/*.[ch] tests/3-sql/*.[ch] tests/7-typing/*.[ch] tests/8-mutation/*.[ch] \
                    tests/fuzz/*.[ch] tests/lib/*.[ch] extension/src/*.[ch] bench/*/*.[ch])

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all run test golden san tsan torture fuzz lint format bench generate migrate deps clean help \
        server unit fuzzers

all: $(programs) server ## the compiler, the runtime and the root application's server

run: ## install what is missing, build, start PostgreSQL and the server; PORT=8080
	@tools/deps run
	@$(MAKE) -s -j$(JOBS) --no-print-directory $(programs)
	@exec $(BUILD)/pgstack dev $(if $(PORT),--port $(PORT))

test: ## install what is missing, then every suite in order; T=2-golden/rename* picks
	@tools/deps test
	@$(MAKE) -s -j$(JOBS) --no-print-directory $(programs) unit
	@BUILD=$(BUILD) tests/run $(if $(T),'$(T)')

golden: $(programs) ## rewrite the expected output of tests/2-golden
	@PGSTACK=$(BUILD)/pgstack tests/2-golden/run --update $(if $(T),'$(T)')

san: ## the same suites under ASan and UBSan
	@$(MAKE) -s --no-print-directory test BUILD=build/san SAN=1

# The suites in which threads meet: tokens and keys, TLS, metrics, rates, the pool, start, swap and stop, the feed and those whom it tells.
THREADED := $(addprefix 1-unit/runtime_,authn_test base_test rates_test live_test hub_test relay_test) 3-sql/pool* $(addprefix 4-api/,keys h2 metrics rates client logs process isolation) \
  $(addprefix 4-api/live_,aggregate client faults frames keys late moments outbox resume single slow toast) 9-extension/relay

tsan: ## what has threads, under TSan; T=4-api/keys picks
	@failed=0; for suite in $(if $(T),'$(T)',$(patsubst %,'%',$(THREADED))); do \
	  $(MAKE) -s --no-print-directory test BUILD=build/tsan SAN=thread SUITE_SECONDS=3600 T="$$suite" || failed=1; \
	done; exit $$failed

torture: ## each call that can fail fails in turn, under ASan; `make test` tries a part of them
	@LONG=1 $(MAKE) -s --no-print-directory test BUILD=build/san SAN=1 T='1-unit/*_torture_test'
	@LONG=1 PGS_TEST_CASE='test_torture_*' $(MAKE) -s --no-print-directory test BUILD=build/san SAN=1 SUITE_SECONDS=3600 T='3-sql/pool'

fuzz: ## each fuzz target for FUZZ_SECONDS=60; T=jwt picks
	@tools/deps fuzz
	@$(MAKE) -s -j$(JOBS) --no-print-directory fuzzers BUILD=build/fuzz SAN=fuzz
	@tests/fuzz/run build/fuzz/tests/fuzz $(if $(T),'$(T)')

# What the compiler writes is the same without optimization, and a fresh clone has it in a third of the time.
lint: for_lint = $(BUILD)$(if $(wildcard $(BUILD)/pgstack),,/lint)
lint: ## who includes whom, format, sizes, stale output
	@tools/deps lint
	@$(MAKE) -s -j$(JOBS) --no-print-directory BUILD=$(for_lint) \
	    $(if $(filter %/lint,$(for_lint)),OPTIMIZE=-O0) $(for_lint)/pgstack
	@PGSTACK=$(for_lint)/pgstack tools/lint

format: ## clang-format over all C files
	@tools/deps lint
	@clang-format -i $(ours)

bench: ## the figures of bench/RESULTS.md
	@tools/deps bench
	@$(MAKE) -s -j$(JOBS) --no-print-directory $(programs) $(BUILD)/bench/sockets
	@bench/run

generate: $(BUILD)/pgstack ## generated/ and migrations/ from schema/ and policies/
	@$(BUILD)/pgstack generate

migrate: $(BUILD)/pgstack ## apply migrations/ to MIGRATION_DATABASE_URL
	@$(BUILD)/pgstack migration run

deps: ## install the Debian packages that are missing, for all targets
	@tools/deps run test lint bench fuzz

clean: ## remove build/, but keep the private database of `make run`
	@find build -mindepth 1 -maxdepth 1 ! -name dev -exec rm -rf {} + 2>/dev/null || true

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' Makefile

server: $(programs)
	@$(BUILD)/pgstack build

unit: $(unit_tests) $(sql_tests) $(BUILD)/tests/7-typing/dump $(BUILD)/tests/8-mutation/mutant

fuzzers: $(fuzz_targets)

# ---- the compiler ----

$(BUILD)/pgstack: $(BUILD)/codegen/main.o $(BUILD)/libcodegen.a
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/libcodegen.a: $(filter-out %/main.o,$(compiler_objects))
	$(say) AR $@
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/codegen/%.o: codegen/%.c Makefile | $(compiler_headers)
	$(say) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(COMPILER_FLAGS) $(CFLAGS) $(WARN) -c -o $@ $<

$(BUILD)/codegen/%.o: $(BUILD)/codegen/%.c Makefile | $(compiler_headers)
	$(say) CC $<
	$(Q)$(CC) $(CPPFLAGS) $(COMPILER_FLAGS) $(CFLAGS) $(WARN) -c -o $@ $<

$(BUILD)/codegen/%.c: codegen/%.re
	$(say) RE2C $<
	$(Q)mkdir -p $(@D)
	$(Q)re2c -W -Werror --no-generation-date -o $@ $<

$(BUILD)/codegen/%.c $(BUILD)/codegen/%.h &: codegen/%.y
	$(say) LEMON $<
	$(Q)mkdir -p $(@D)
	$(Q)lemon -d$(@D) -q $< && touch $(BUILD)/codegen/$*.h

# Lemon's own code leaves a parameter and a variable unused.
$(BUILD)/codegen/syntax/grammar.o: WARN += -Wno-unused-parameter -Wno-unused-variable

$(BUILD)/codegen/cmd/explain.inc: docs/errors.md tools/explain.awk
	$(say) AWK $<
	$(Q)mkdir -p $(@D)
	$(Q)awk -f tools/explain.awk $< >$@

$(BUILD)/codegen/cmd/explain.o: $(BUILD)/codegen/cmd/explain.inc

# ---- the bench ----

$(BUILD)/bench/sockets: bench/live/sockets.c Makefile
	$(say) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE $(CFLAGS) $(WARN) $(LDFLAGS) -o $@ $<

# ---- the runtime ----

$(BUILD)/libpgs.a: $(runtime_objects)
	$(say) AR $@
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/runtime/%.o: runtime/%.c Makefile
	$(say) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(RUNTIME_FLAGS) $(CFLAGS) $(WARN) -c -o $@ $<

# ---- tests in C: codegen_* and runtime_* see one side each; the linker takes what they use ----

test_libraries := $(BUILD)/libcodegen.a $(BUILD)/libpgs.a

$(BUILD)/tests/1-unit/codegen_%.o: TEST_FLAGS := $(COMPILER_FLAGS)
$(BUILD)/tests/1-unit/runtime_%.o: TEST_FLAGS := -Itests $(RUNTIME_FLAGS)
$(BUILD)/tests/3-sql/%.o: TEST_FLAGS := -Itests $(RUNTIME_FLAGS)
$(BUILD)/tests/fuzz/%.o: TEST_FLAGS := -Itests $(COMPILER_FLAGS) $(RUNTIME_FLAGS)
$(BUILD)/tests/lib/%.o: TEST_FLAGS := $(RUNTIME_FLAGS)

$(BUILD)/tests/%.o: tests/%.c Makefile | $(compiler_headers)
	$(say) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(TEST_FLAGS) $(CFLAGS) $(WARN) -c -o $@ $<

$(BUILD)/tests/1-unit/%_test: $(BUILD)/tests/1-unit/%_test.o $(test_libraries)
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) -lcmocka $(LDLIBS)

# The server itself, in the thread of a test: it serves the root application, without a database.
loopback := $(BUILD)/tests/lib/loopback.o $(patsubst %.c,$(BUILD)/%.o,$(wildcard generated/*.c))

$(BUILD)/generated/%.o: generated/%.c Makefile
	$(say) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -Iruntime/include $(CFLAGS) $(WARN) -c -o $@ $<

# The calls that tests/lib/torture.c makes fail.
comma    := ,
TORTURED := malloc calloc realloc strdup setenv fopen fgets ferror open read recv send dup eventfd RAND_bytes h2o__fatal

$(BUILD)/tests/1-unit/runtime_torture_test: $(BUILD)/tests/lib/torture.o $(loopback)
$(BUILD)/tests/1-unit/runtime_torture_test: LDFLAGS += $(TORTURED:%=-Wl$(comma)--wrap=%)

$(BUILD)/tests/3-sql/pool_torture_test: $(BUILD)/tests/lib/torture.o
$(BUILD)/tests/3-sql/pool_torture_test: LDFLAGS += $(TORTURED:%=-Wl$(comma)--wrap=%)

# The pool's tests on a real PostgreSQL share a fixture.
sql_fixture := $(patsubst %.c,$(BUILD)/%.o,$(filter-out %_test.c,$(wildcard tests/3-sql/*.c)))

$(BUILD)/tests/3-sql/%_test: $(BUILD)/tests/3-sql/%_test.o $(sql_fixture) $(BUILD)/libpgs.a
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS)

$(BUILD)/tests/7-typing/dump.o: TEST_FLAGS := $(COMPILER_FLAGS)
$(BUILD)/tests/7-typing/dump: $(BUILD)/tests/7-typing/dump.o $(BUILD)/libcodegen.a
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# The compiler with each finding under a switch; its addresses must be those that objdump prints.
$(BUILD)/tests/8-mutation/%.o: TEST_FLAGS := $(COMPILER_FLAGS)
$(BUILD)/tests/8-mutation/mutant: $(BUILD)/codegen/main.o $(BUILD)/tests/8-mutation/mutant.o $(BUILD)/libcodegen.a
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -no-pie -Wl,--wrap=diag_at -o $@ $^ $(LDLIBS)

$(addprefix $(BUILD)/tests/fuzz/fuzz_,http1 http2 request socket): $(loopback)
$(BUILD)/tests/fuzz/fuzz_config.o: TEST_FLAGS += -D_GNU_SOURCE
$(BUILD)/tests/fuzz/fuzz_config: LDFLAGS += -Wl,--wrap=getenv,--wrap=setenv

$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(test_libraries)
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS)

-include $(compiler_objects:.o=.d) $(runtime_objects:.o=.d) $(sql_fixture:.o=.d) $(loopback:.o=.d) $(BUILD)/tests/lib/torture.d \
  $(addsuffix .d,$(unit_tests) $(sql_tests) $(fuzz_targets) $(BUILD)/tests/7-typing/dump $(BUILD)/tests/8-mutation/mutant)
