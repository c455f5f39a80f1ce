# The whole workflow of onefold. `make` alone builds the command.

GO ?= go

.PHONY: build run test test-fdb-sim race lint generate fuzz soak bench bench-compile profile-exact profile-truth profile-real profile-families profile-overhead profile-soak profile-precision test-fdb browser clean

build: ## the onefold command, into bin/
	$(GO) build -o bin/ ./cmd/...

run: ## the travel application on the embedded store, http://127.0.0.1:8080
	$(GO) run ./cmd/onefold run ./testdata/apps/travel/...

.PHONY: profile
profile: build ## which service of the travel application to optimise: a table, and a plot in .cache/profile/profile.html
	bin/onefold profile ./testdata/apps/travel/... --out .cache/profile --raw .cache/profile/raw.json

test: lint ## everything CI runs
	$(GO) build ./...
	$(GO) test ./...
	$(GO) test -C testdata/apps ./...
	$(MAKE) race fuzz test-fdb-sim
	@$(BROWSER) || echo "test: SKIPPED in a browser: chromium is not installed; make browser installs it"

# The console page is tested in a browser.
BROWSER = { command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null
browser: ## headless Chromium for the test of the console page, with apt-get
	@$(BROWSER) || { apt-get update && apt-get install -y --no-install-recommends chromium; }

# The packages where goroutines meet, under the race detector.
RACE = ./runtime/... ./onefoldtest/... ./instrument/...
race:
	$(GO) test -race -short $(RACE)

# testdata is invisible to ./..., so the applications are named.
lint: ## gofmt, vet, staticcheck
	@out=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$out" || { echo "not gofmt-ed:"; echo "$$out"; exit 1; }
	$(GO) vet ./...
	$(GO) vet -C testdata/apps ./...
	$(GO) tool staticcheck ./...

generate: ## rewrite all generated code; a test fails when it is stale
	$(GO) generate -C testdata/apps ./...

FUZZTIME ?= 3s
fuzz: ## every fuzz target for FUZZTIME each
	@set -e; for pkg in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "fuzz $$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; done

# Long runs, outside CI. SOAK multiplies the length of the suites; KILL is how long
# servers are killed and restarted under load, SEEDS how many swarms of each application
# are simulated.
SOAK ?= 20
KILL ?= 10m
SEEDS ?= 2000
soak: ## the suites over all applications and the tests that kill processes, for long
	ONEFOLD_SEEDS=$(SEEDS) $(GO) test -count 1 -timeout 6h -v -run TestSwarm ./onefoldtest/suite
	ONEFOLD_SOAK=1 $(GO) test -count 1 -timeout 1h -v -run TestSwarm ./onefoldtest
	ONEFOLD_SOAK=$(SOAK) $(GO) test -count 1 -timeout 6h -v -skip TestSwarm ./onefoldtest/suite
	ONEFOLD_SOAK=$(SOAK) $(GO) test -count 1 -timeout 6h ./runtime/workflow
	$(GO) test -count 1 -timeout 6h -v -run TestKill ./runtime/local -kill $(KILL)
	$(GO) test -count 1 -timeout 6h -v -run TestFaults ./control/stage -faults $(KILL)

.PHONY: workflows
WORKFLOWS ?= 100000
workflows: ## start and finish WORKFLOWS workflows on disk, and see that nothing of them is left
	$(GO) test -count 1 -timeout 1h -v -run TestGrowthOnDisk ./runtime/workflow -workflows $(WORKFLOWS)

bench: ## the figures of BENCHMARKS.md
	$(GO) test -count 1 -v -timeout 30m -run "TestComparison|TestProcesses" ./bench -table 4s
	$(GO) test -run '^$$' -bench Handler -benchmem ./bench
	$(GO) test -run '^$$' -bench . -benchtime 1s ./runtime/store/embedded ./runtime/workflow
	$(MAKE) bench-compile

.PHONY: bench-contention
SWEEP ?= 1s
bench-contention: ## throughput from uniform keys to one hot key, 1 to 256 clients, SWEEP for each of 240 cells; table, .cache/contention.json and .svg
	@mkdir -p .cache
	$(GO) test -count 1 -v -timeout 1h -run TestContention ./bench -sweep $(SWEEP) \
		-sweep-json $(CURDIR)/.cache/contention.json -sweep-svg $(CURDIR)/.cache/contention.svg

bench-compile: ## compile times of 4, 100 and 1,000 services, and of travel
	$(GO) test -run '^$$' -bench 'Compile' -benchtime 3x ./compiler

profile-exact: ## the causal profiler's estimator on the whole grid of simulated services
	$(GO) test -count 1 -v -run TestExactModel ./instrument/profile/sim -full

profile-truth: ## live services of known speed: predictions against the truth; a table, and a plot in .cache/truth.svg; 45 minutes
	@mkdir -p .cache
	$(GO) test -count 1 -v -timeout 3h -run 'TestTruth$$' ./instrument/profile/synth -truth -window 1500ms -svg $(CURDIR)/.cache/truth.svg

profile-real: ## the same with services that use processors: two on one core each; some minutes
	$(GO) test -count 1 -v -timeout 1h -run TestRealCPU ./instrument/profile/synth -truth

profile-families: ## the same with the original Slowpoke's 11 synthetic applications, beside its figures; one and a half hours
	$(GO) test -count 1 -v -timeout 6h -run TestFamilies ./instrument/profile/synth -truth

profile-overhead: ## what instrumented services lose while no experiment runs; some minutes
	$(GO) test -count 1 -v -timeout 1h -run TestOverhead ./instrument/profile/synth -truth

profile-soak: ## profilers, pokers and services killed again and again; two hours
	$(GO) test -count 1 -v -timeout 3h -run TestSoak ./instrument/profile/synth -soak 2h

.PHONY: profile-optimised
profile-optimised: ## sample applications that patches make really faster: predictions against the truth; some minutes
	$(GO) test -count 1 -v -timeout 1h -run 'TestOptimised|TestSteady' ./instrument/profile/optimised -optimised

profile-precision: ## how exact a poker's pauses are; for a quiet machine
	$(GO) test -count 1 -v -run TestPrecision ./instrument/poker/entry -precision 1000

# The FoundationDB engine: the real Go binding is compiled against fdbsim, a double of
# FoundationDB's client, and tested on simulated clusters; then also on a real cluster,
# an empty one, if its client (CGO_CFLAGS, CGO_LDFLAGS) and FDB_CLUSTER_FILE are there.
# The suites of onefoldtest run over it too; ONEFOLD_SOAK=1 or more makes them longer.
FDBSIM = $(CURDIR)/.cache/fdbsim
FDB = ./runtime/store/foundationdb/...
FDB_SUITE = ./onefoldtest/suite -run OnFoundationDB
FDBSIM_ENV = CGO_ENABLED=1 FDB_CLUSTER_FILE= FDBSIMD=$(FDBSIM)/fdbsimd \
	CGO_CFLAGS="-O2 -g -I$(CURDIR)/runtime/store/foundationdb/fdbsim/include" \
	CGO_LDFLAGS="-L$(FDBSIM) -Wl,-rpath,$(FDBSIM)"
test-fdb-sim: ## the foundationdb engine on simulated clusters, the short form that CI runs
	$(MAKE) -s -j2 -C runtime/store/foundationdb/fdbsim OUT=$(FDBSIM)
	$(FDBSIM_ENV) $(GO) test -short -count=1 -tags foundationdb,fdbsim $(FDB)
	$(FDBSIM_ENV) $(GO) test -short -count=1 -tags foundationdb,fdbsim $(FDB_SUITE)

test-fdb: ## the foundationdb engine on simulated clusters, and on a real one if there is one
	$(MAKE) -s -j2 -C runtime/store/foundationdb/fdbsim OUT=$(FDBSIM)
	$(FDBSIM_ENV) $(GO) vet -tags foundationdb $(FDB) ./onefoldtest/suite
	$(FDBSIM_ENV) $(GO) vet -tags foundationdb,fdbsim $(FDB) ./onefoldtest/suite
	$(FDBSIM_ENV) $(GO) tool staticcheck -tags foundationdb,fdbsim $(FDB) ./onefoldtest/suite
	$(FDBSIM_ENV) $(GO) test -count=1 -tags foundationdb,fdbsim $(FDB)
	$(FDBSIM_ENV) $(GO) test -count=1 -race -tags foundationdb,fdbsim $(FDB)
	$(FDBSIM_ENV) $(GO) test -count=1 -timeout 3h -tags foundationdb,fdbsim $(FDB_SUITE)
	$(FDBSIM_ENV) $(GO) test -count=1 -timeout 3h -race -tags foundationdb,fdbsim $(FDB_SUITE)
	@if test -z "$$FDB_CLUSTER_FILE"; then \
		echo "test-fdb: SKIPPED on a real cluster: FDB_CLUSTER_FILE is not set"; \
	elif ! echo 'int main(void) { return fdb_get_max_api_version(); }' | cc $$CGO_CFLAGS -DFDB_API_VERSION=730 \
		-include foundationdb/fdb_c.h -x c - -o /dev/null $$CGO_LDFLAGS -lfdb_c 2>/dev/null; then \
		echo "test-fdb: SKIPPED on a real cluster: no FoundationDB client with CGO_CFLAGS and CGO_LDFLAGS"; \
	else \
		echo "test-fdb: on the cluster of $$FDB_CLUSTER_FILE"; \
		CGO_ENABLED=1 $(GO) test -count=1 -p 1 -tags foundationdb $(FDB) && \
		CGO_ENABLED=1 $(GO) test -count=1 -timeout 3h -tags foundationdb $(FDB_SUITE); \
	fi

# The way of a newcomer: from a spec to what is deployed.
TRAVEL = bin/onefold -C testdata/apps/travel
.PHONY: image
image: build ## the travel application, from its spec to an image and manifests in .cache/travel
	rm -rf .cache/travel && mkdir -p .cache/travel
	$(TRAVEL) check ./...
	$(TRAVEL) generate --check ./...
	$(TRAVEL) build -o tar:$(CURDIR)/.cache/travel/image.tar ./...
	$(TRAVEL) manifests -o $(CURDIR)/.cache/travel/manifests ./...
	@ls -l .cache/travel .cache/travel/manifests

# Real clusters, outside CI: built from Go modules into .cache/e2e, run in private
# namespaces. The first build takes minutes: three for e2e-k8s, twelve for e2e-knative.
E2E = $(CURDIR)/.cache/e2e
E2E_RUN = cd e2e && E2E_BIN=$(E2E)/bin E2E_SERVING=$$($(GO) list -m -f '{{.Dir}}' knative.dev/serving) \
	unshare --net --mount --pid --fork --kill-child --mount-proc $(E2E)/e2e.test -test.v -test.timeout 30m
.PHONY: e2e-build e2e-k8s e2e-parts e2e-knative
e2e-build:
	$(GO) build -o $(E2E)/bin/onefold ./cmd/onefold
	$(GO) vet -tags e2e ./e2e
	$(GO) test -c -tags e2e -o $(E2E)/e2e.test ./e2e
e2e-k8s: e2e-build ## the manifests of every application on a real kube-apiserver with Knative's definitions
	e2e/build.sh etcd kube-apiserver
	$(E2E_RUN) -test.run TestKubernetes
e2e-parts: e2e-build ## the travel application as its Deployments say, a network for each, under kill -9
	$(E2E_RUN) -test.run TestParts

KUBERNETES = etcd kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet pause coredns
SERVING = controller webhook autoscaler activator queue traefik
CONTAINERS = containerd runc iptables ip
e2e-knative: e2e-build ## the travel application on a real Kubernetes with Knative Serving, for root
	@for c in $(CONTAINERS); do command -v $$c >/dev/null && test -d /usr/lib/cni || { \
		echo "e2e-knative: needs apt-get install containerd runc containernetworking-plugins iptables iproute2"; exit 1; }; done
	e2e/build.sh $(KUBERNETES) $(SERVING)
	$(E2E_RUN) -test.run TestKnative

clean:
	rm -rf bin .cache
