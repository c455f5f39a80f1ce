//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// TestKubernetes has the manifests of all applications accepted by a real API server
// with Knative's definitions, and deploys to it. No controllers run: what they
// would report, the test does.
func TestKubernetes(t *testing.T) {
	c := apiServer(t, t.TempDir(), "192.0.2.1")
	c.installDefinitions(t)
	client, kubeconfig := c.client, c.kubeconfig
	apps, err := os.ReadDir("../testdata/apps")
	if err != nil {
		t.Fatal(err)
	}
	for _, app := range apps {
		secret(t, client, app.Name()+"-foundationdb", "fdb.cluster")
		for _, target := range []string{"knative", "kubernetes"} {
			t.Run(app.Name()+"/"+target, func(t *testing.T) {
				out, err := onefold(t, app.Name(), "deploy", "--dry-run", "--target", target, "--kubeconfig", kubeconfig, "./...")
				if err != nil || !strings.Contains(out, "accepted, not applied") {
					t.Errorf("%v\n%s", err, out)
				}
			})
		}
	}
	embedded := write(t, t.TempDir(), "onefold.yaml", "store: {kind: embedded, size: 1Gi}\n")
	t.Run("embedded", func(t *testing.T) {
		out, err := onefold(t, "travel", "deploy", "--dry-run", "--target", "kubernetes", "--config", embedded, "--kubeconfig", kubeconfig, "./...")
		if err != nil || !strings.Contains(out, "StatefulSet travel: accepted") {
			t.Errorf("%v\n%s", err, out)
		}
	})
	t.Run("unknown field", func(t *testing.T) { refusesUnknown(t, client) })
	t.Run("ready", func(t *testing.T) { deployReady(t, client, kubeconfig) })
	t.Run("rollback", func(t *testing.T) { deployFails(t, client, kubeconfig) })
}

func secret(t *testing.T, client dynamic.Interface, name, key string) {
	t.Helper()
	o := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": name}, "stringData": map[string]any{key: "x"},
	}}
	if _, err := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "secrets"}).Namespace("default").Create(t.Context(), o, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

var knativeServices = schema.GroupVersionResource{Group: "serving.knative.dev", Version: "v1", Resource: "services"}

// The cluster really is strict: it refuses a field that Knative does not have.
func refusesUnknown(t *testing.T, client dynamic.Interface) {
	o := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": map[string]any{"name": "wrong"},
		"spec": map[string]any{"templat": map[string]any{}},
	}}
	_, err := client.Resource(knativeServices).Namespace("default").Create(t.Context(), o, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: "Strict"})
	if err == nil || !strings.Contains(err.Error(), "templat") {
		t.Errorf("a field that does not exist: %v", err)
	}
}

// report says of Knative's Services what its controllers would.
func report(t *testing.T, client dynamic.Interface, status, reason, message string) {
	services := client.Resource(knativeServices).Namespace("default")
	list, err := services.List(t.Context(), metav1.ListOptions{})
	if err != nil {
		return // the test has ended
	}
	for _, o := range list.Items {
		observed, _, _ := unstructured.NestedInt64(o.Object, "status", "observedGeneration")
		if observed == o.GetGeneration() {
			continue
		}
		revision, _, _ := unstructured.NestedString(o.Object, "spec", "template", "metadata", "name")
		state := map[string]any{
			"observedGeneration": o.GetGeneration(), "latestCreatedRevisionName": revision,
			"conditions": []any{map[string]any{"type": "Ready", "status": status, "reason": reason, "message": message}},
		}
		ready, _, _ := unstructured.NestedString(o.Object, "status", "latestReadyRevisionName")
		if status == "True" {
			ready = revision
		}
		state["latestReadyRevisionName"] = ready
		o.Object["status"] = state
		_, _ = services.UpdateStatus(t.Context(), &o, metav1.UpdateOptions{}) // somebody else was quicker: next time
	}
}

// reporting reports until the returned function is called.
func reporting(t *testing.T, client dynamic.Interface, status, reason, message string) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			case <-time.After(300 * time.Millisecond):
				report(t, client, status, reason, message)
			}
		}
	}()
	return func() { close(done); <-ended }
}

// collectors says of Deployments that their replicas are ready, once and for all.
func collectors(t *testing.T, client dynamic.Interface) {
	deployments := client.Resource(schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}).Namespace("default")
	go func() {
		for t.Context().Err() == nil {
			time.Sleep(300 * time.Millisecond)
			list, err := deployments.List(t.Context(), metav1.ListOptions{})
			if err != nil {
				return
			}
			for _, o := range list.Items {
				o.Object["status"] = map[string]any{"observedGeneration": o.GetGeneration(), "replicas": int64(1), "updatedReplicas": int64(1), "readyReplicas": int64(1)}
				_, _ = deployments.UpdateStatus(t.Context(), &o, metav1.UpdateOptions{})
			}
		}
	}()
}

func deployReady(t *testing.T, client dynamic.Interface, kubeconfig string) {
	collectors(t, client)
	stop := reporting(t, client, "True", "", "")
	defer stop()
	out, err := onefold(t, "travel", "deploy", "--timeout", "1m", "--kubeconfig", kubeconfig, "./...")
	t.Log(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Secret travel-keys: made keys Frontend.Flight, Frontend.Hotel, Frontend.Orders", "Service travel-hotel: ready after", "Deployment travel-collector: ready after"} {
		if !strings.Contains(out, want) {
			t.Errorf("the output does not say %q", want)
		}
	}
	again, err := onefold(t, "travel", "deploy", "--timeout", "1m", "--kubeconfig", kubeconfig, "./...")
	if err != nil || strings.Contains(again, "Secret travel-keys: made") {
		t.Errorf("once more: %v\n%s", err, again)
	}
}

// A roll-out that fails is explained, and the traffic goes back to the revision that
// was ready.
func deployFails(t *testing.T, client dynamic.Interface, kubeconfig string) {
	collectors(t, client)
	services := client.Resource(knativeServices).Namespace("default")
	before, err := services.Get(t.Context(), "travel-hotel", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	old, _, _ := unstructured.NestedString(before.Object, "status", "latestReadyRevisionName")
	stop := reporting(t, client, "False", "RevisionFailed", "the container crashed")
	defer stop()
	config := write(t, t.TempDir(), "onefold.yaml", "concurrency: 7\n")
	out, err := onefold(t, "travel", "deploy", "--timeout", "1m", "--config", config, "--kubeconfig", kubeconfig, "./...")
	t.Log(out)
	if err == nil {
		t.Error("the deployment did not fail")
	}
	for _, want := range []string{"Service travel-hotel is not ready:", "RevisionFailed: the container crashed", "Service travel-hotel: back to revision " + old} {
		if !strings.Contains(out, want) {
			t.Errorf("the output does not say %q", want)
		}
	}
	after, err := services.Get(t.Context(), "travel-hotel", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	traffic, _, _ := unstructured.NestedSlice(after.Object, "spec", "traffic")
	if len(traffic) != 1 || traffic[0].(map[string]any)["revisionName"] != old {
		t.Errorf("traffic %v, want all to %s", traffic, old)
	}
}

// TestMain makes the loopback device of the private namespace work.
func TestMain(m *testing.M) {
	if os.Getenv("E2E_BIN") == "" || !filepath.IsAbs(os.Getenv("E2E_BIN")) {
		os.Stderr.WriteString("run make e2e-k8s or make e2e-parts\n")
		os.Exit(2)
	}
	if err := loopback(); err != nil {
		os.Stderr.WriteString("bring lo up: " + err.Error() + "\n")
		os.Exit(2)
	}
	os.Exit(m.Run())
}
