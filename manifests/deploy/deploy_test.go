package deploy

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const hotel = `
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: travel-hotel, namespace: default}
spec:
  template:
    metadata: {name: travel-hotel-NEW}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: travel-collector, namespace: default}
spec: {replicas: 1, template: {metadata: {labels: {version: NEW}}}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: travel-hotel, namespace: default}
`

const (
	services   = "/apis/serving.knative.dev/v1/namespaces/default/services/"
	deployment = "/apis/apps/v1/namespaces/default/deployments/"
	core       = "/api/v1/namespaces/default/"
)

func objects(t *testing.T, version string) []*unstructured.Unstructured {
	t.Helper()
	all, err := Objects([]byte(strings.ReplaceAll(hotel, "NEW", version)))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// output is what a deployment prints.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) wants(t *testing.T, texts ...string) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, text := range texts {
		if !strings.Contains(o.b.String(), text) {
			t.Errorf("the output does not say %q:\n%s", text, o.b.String())
		}
	}
}

// controllers make everything ready, or Knative's Services fail.
func controllers(ready string) func(path string, o object) {
	return func(path string, o object) {
		generation := o["metadata"].(object)["generation"]
		switch {
		case strings.HasPrefix(path, services):
			state := object{"observedGeneration": generation, "conditions": []any{object{"type": "Ready", "status": ready, "reason": "Because", "message": "it is " + ready}}}
			if old, ok := o["status"].(object); ok {
				state["latestReadyRevisionName"] = old["latestReadyRevisionName"]
			}
			if ready == "True" {
				state["latestReadyRevisionName"] = o["spec"].(object)["template"].(object)["metadata"].(object)["name"]
			}
			o["status"] = state
		case strings.HasPrefix(path, deployment):
			o["status"] = object{"observedGeneration": generation, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1}
		}
	}
}

var quick = Options{Timeout: time.Minute, Keys: "travel-keys", KeyNames: []string{"Frontend.Hotel"}}

func TestReady(t *testing.T) {
	var out output
	server, cluster := newCluster(t, &out)
	server.control = controllers("True")
	if err := cluster.Deploy(t.Context(), objects(t, "one"), quick); err != nil {
		t.Fatal(err)
	}
	out.wants(t, "Secret travel-keys: made keys Frontend.Hotel\n", "Service travel-hotel: ready after", "Deployment travel-collector: ready after")
	key := func(name string) string {
		data, _ := server.object(core + "secrets/travel-keys")["data"].(object)[name].(string)
		text, err := base64.StdEncoding.DecodeString(data)
		if err != nil || len(strings.TrimSpace(string(text))) < 32 {
			t.Errorf("key %s is %q, want at least 32 characters", name, text)
		}
		return string(text)
	}
	first, more := key("Frontend.Hotel"), quick
	more.KeyNames = []string{"Frontend.Flight", "Frontend.Hotel"}
	if err := cluster.Deploy(t.Context(), objects(t, "one"), more); err != nil {
		t.Fatal(err)
	}
	out.wants(t, "Secret travel-keys: made keys Frontend.Flight\n")
	if key("Frontend.Hotel") != first || key("Frontend.Flight") == first {
		t.Error("the second deployment changed a key, or used it twice")
	}
}

// A service that gets ready later is waited for.
func TestLater(t *testing.T) {
	var out output
	server, cluster := newCluster(t, &out)
	server.control = controllers("Unknown")
	done := make(chan error, 1)
	go func() { done <- cluster.Deploy(context.Background(), objects(t, "one"), quick) }()
	for server.object(services+"travel-hotel") == nil {
		time.Sleep(time.Millisecond)
	}
	server.change(services+"travel-hotel", func(o object) { controllers("True")(services, o) })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// What fails is explained, and what was ready before serves again.
func TestFailure(t *testing.T) {
	var out output
	server, cluster := newCluster(t, &out)
	server.control = controllers("True")
	if err := cluster.Deploy(t.Context(), objects(t, "one"), quick); err != nil {
		t.Fatal(err)
	}
	server.control = controllers("False")
	server.objects[core+"pods/travel-hotel-x"] = object{
		"metadata": object{"name": "travel-hotel-x"},
		"status": object{"phase": "Running", "containerStatuses": []any{object{
			"name": "service", "restartCount": 3, "state": object{"waiting": object{"reason": "CrashLoopBackOff", "message": "back-off 10s"}},
			"lastState": object{"terminated": object{"exitCode": 1, "reason": "Error"}},
		}}},
	}
	server.objects[core+"pods/travel-hotel-x/log"] = object{"log": "travel: keys: no such file\n"}
	server.objects[core+"events/one"] = object{"metadata": object{"name": "one"}, "reason": "BackOff", "message": "restarting failed container"}
	err := cluster.Deploy(t.Context(), objects(t, "two"), quick)
	if err == nil {
		t.Fatal("the deployment did not fail")
	}
	for _, want := range []string{
		"Service travel-hotel is not ready:", "service Ready is False: Because: it is False", "pod travel-hotel-x: Running",
		"container service waits: CrashLoopBackOff: back-off 10s", "container service ended with code 1: Error",
		"event BackOff: restarting failed container", "log: travel: keys: no such file",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "travel-collector is not ready") {
		t.Errorf("the error blames what is ready:\n%v", err)
	}
	wentBack(t, server)
}

// wentBack checks that revision one serves, and its collector.
func wentBack(t *testing.T, server *apiServer) {
	t.Helper()
	traffic, _ := json.Marshal(server.object(services + "travel-hotel")["spec"].(object)["traffic"])
	if want := `[{"latestRevision":false,"percent":100,"revisionName":"travel-hotel-one"}]`; string(traffic) != want {
		t.Errorf("traffic %s, want %s", traffic, want)
	}
	template, _ := json.Marshal(server.object(deployment + "travel-collector")["spec"].(object)["template"])
	if want := `{"metadata":{"labels":{"version":"one"}}}`; string(template) != want {
		t.Errorf("the collector's pods are %s, want %s", template, want)
	}
}

// A deployment that is interrupted or takes too long goes back as well.
func TestUnfinished(t *testing.T) {
	for name, interrupt := range map[string]bool{"interrupt": true, "timeout": false} {
		t.Run(name, func(t *testing.T) {
			var out output
			server, cluster := newCluster(t, &out)
			server.control = controllers("True")
			if err := cluster.Deploy(t.Context(), objects(t, "one"), quick); err != nil {
				t.Fatal(err)
			}
			server.control = controllers("Unknown")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			opts, want := quick, "context canceled"
			if interrupt {
				time.AfterFunc(50*time.Millisecond, cancel)
			} else {
				opts.Timeout, want = 50*time.Millisecond, "not everything was ready after 50ms"
			}
			err := cluster.Deploy(ctx, objects(t, "two"), opts)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
			wentBack(t, server)
		})
	}
}

// What the cluster refuses is told, all of it, and nothing is waited for.
func TestRefused(t *testing.T) {
	var out output
	server, cluster := newCluster(t, &out)
	server.refuse = func(path string) string {
		if strings.HasSuffix(path, "travel-hotel") {
			return "spec is wrong"
		}
		return ""
	}
	err := cluster.Deploy(t.Context(), objects(t, "one"), quick)
	if err == nil || strings.Count(err.Error(), "spec is wrong") != 2 {
		t.Errorf("%v, want two objects refused", err)
	}
}

func TestDryRun(t *testing.T) {
	var out output
	server, cluster := newCluster(t, &out)
	opts := quick
	opts.DryRun = true
	server.refuse = func(string) string { return "" }
	if err := cluster.Deploy(t.Context(), objects(t, "one"), opts); err != nil {
		t.Fatal(err)
	}
	out.wants(t, "Service travel-hotel: accepted, not applied")
}

func TestMissing(t *testing.T) {
	var out output
	server, cluster := newCluster(t, &out)
	opts := quick
	opts.Needs = []string{"travel-foundationdb"}
	if err := cluster.Deploy(t.Context(), objects(t, "one"), opts); err == nil || !strings.Contains(err.Error(), "kubectl -n default create secret generic travel-foundationdb --from-file fdb.cluster") {
		t.Errorf("a missing secret: %v", err)
	}
	server.withoutAPI = "/apis/serving.knative.dev/"
	if err := cluster.Deploy(t.Context(), objects(t, "one"), quick); err == nil || !strings.Contains(err.Error(), "the cluster has no Knative Serving") {
		t.Errorf("a cluster without Knative: %v", err)
	}
}

// Objects are applied in an order in which nothing waits for what comes later.
func TestOrder(t *testing.T) {
	var kinds []string
	for _, o := range objects(t, "one") {
		kinds = append(kinds, o.GetKind())
	}
	if got, want := strings.Join(kinds, " "), "ServiceAccount Service Deployment"; got != want {
		t.Errorf("order %s, want %s", got, want)
	}
}
