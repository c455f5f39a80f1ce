#!/usr/bin/env bash
# usage: build.sh NAME...   builds programs of a cluster into .cache/e2e/bin, those that are not there yet.
# All of them take about twelve minutes on two cores, kube-apiserver and traefik the most.
set -euo pipefail
cd "$(dirname "$0")"
out=$PWD/../.cache/e2e/bin
mkdir -p "$out"
export CGO_ENABLED=0
kubernetes=$(go list -C kubernetes -m -f '{{.Version}}' k8s.io/kubernetes)
serving=$(go list -m -f '{{.Version}}' knative.dev/serving)
IFS=. read -r major minor _ <<<"${kubernetes#v}"
version=k8s.io/component-base/version
stamp="-X $version.gitVersion=$kubernetes -X $version.gitMajor=$major -X $version.gitMinor=$minor"
for name in "$@"; do
	test ! -e "$out/$name" || continue
	echo "building $name" >&2
	case $name in
	etcd) go build -C kubernetes -ldflags '-s -w' -o "$out/$name" go.etcd.io/etcd/server/v3 ;;
	kube*) go build -C kubernetes -ldflags "-s -w $stamp" -o "$out/$name" "k8s.io/kubernetes/cmd/$name" ;;
	traefik) go build -C traefik -ldflags '-s -w' -o "$out/$name" github.com/traefik/traefik/v3/cmd/traefik ;;
	pause) go build -ldflags '-s -w' -o "$out/$name" ./pause ;;
	coredns) GOBIN=$out go install -ldflags '-s -w' github.com/coredns/coredns@v1.14.7 ;;
	*) GOBIN=$out go install -ldflags '-s -w' "knative.dev/serving/cmd/$name@$serving" ;;
	esac
done
