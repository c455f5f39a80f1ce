//go:build e2e

package e2e

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/utils/ptr"
)

// onefoldYAML is how the travel application is deployed: little CPU is asked for, since
// everything shares one machine, and all services are reached from outside, to
// look at their state.
const onefoldYAML = `
registry: ` + registryAddress + `
store: {kind: server, address: "tcp://storage-stand-in.default.svc.cluster.local:7071"}
requests: {cpu: 10m, memory: 32Mi}
services:
  Hotel: {expose: true}
  Flight: {expose: true}
  Orders: {expose: true}
`

// TestKnative builds and deploys the travel application on a Kubernetes with Knative
// Serving, and has it lose processes, scale to zero and change its version under load.
func TestKnative(t *testing.T) {
	began := time.Now()
	dir := t.TempDir()
	machine(t, dir)
	serveRegistry(t, dir)
	c := apiServer(t, dir, nodeAddress)
	c.node(t)
	c.installServing(t)
	t.Logf("a cluster with Knative Serving is there after %.0f s", time.Since(began).Seconds())

	w := &world{cluster: c, file: write(t, dir, "onefold.yaml", onefoldYAML)}
	image := w.build(t, "../testdata/apps/travel")
	w.store(t, image)
	for _, step := range []struct {
		name string
		run  func(t *testing.T)
	}{
		{"deploy", func(t *testing.T) { w.deploy(t, "../testdata/apps/travel", image) }},
		{"answers", w.answers},
		{"strangers", w.strangers},
		{"kill", w.kill},
		{"zero", w.zero},
		{"split", w.split},
		{"failure", w.failure},
	} {
		if !t.Run(step.name, step.run) {
			return
		}
	}
}

// world is the deployed application, and what is known of its state.
type world struct {
	*cluster
	file   string // onefold.yaml
	booked int    // trips
}

// build builds an application's image and pushes it.
func (w *world) build(t *testing.T, app string) (image string) {
	t.Helper()
	began := time.Now()
	out, err := onefoldAt(t, app, "build", "--push", "--config", w.file, "./...")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := strings.Split(out, "\n")
	image = lines[len(lines)-1]
	t.Logf("%s after %.0f s", image, time.Since(began).Seconds())
	return image
}

// store starts what stands in for FoundationDB, with a key of its own.
func (w *world) store(t *testing.T, image string) {
	t.Helper()
	w.apply(t, `{apiVersion: v1, kind: Secret, metadata: {name: travel-keys, namespace: default}, stringData: {store: "key-of-the-storage-stand-in"}}`, nil)
	data, err := os.ReadFile("testdata/storage.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w.apply(t, strings.ReplaceAll(string(data), "IMAGE", image), nil)
	eventually(t, "the store is available", 2*time.Minute, func() error {
		return w.condition(t.Context(), appsv1.SchemeGroupVersion.WithKind("Deployment"), "default", "storage-stand-in", "Available")
	})
}

// deploy deploys an image, and waits until requests get through.
func (w *world) deploy(t *testing.T, app, image string) {
	t.Helper()
	began := time.Now()
	out, err := onefoldAt(t, app, "deploy", "--config", w.file, "--image", image, "--kubeconfig", w.kubeconfig, "./...")
	t.Log(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"frontend", "hotel", "hotel-calls", "flight", "flight-calls", "orders", "orders-calls"} {
		if !strings.Contains(out, "Service travel-"+s+": ready after") {
			t.Errorf("travel-%s did not become ready", s)
		}
	}
	t.Logf("everything is ready after %.1f s", time.Since(began).Seconds())
}

// client sends to the public ingress, whatever the host.
var client = &http.Client{Timeout: 30 * time.Second, Transport: dialing("10.96.0.80:80")}

// dialing carries requests to one address.
func dialing(address string) *http.Transport {
	return &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", address)
	}}
}

// ask sends a request until it is answered.
func (w *world) ask(t *testing.T, service, method, key, body string) string {
	t.Helper()
	var reply string
	eventually(t, service+"."+method, 2*time.Minute, func() (err error) {
		reply, err = w.try(service, method, key, body)
		return err
	})
	return reply
}

func (w *world) try(service, method, key, body string) (string, error) {
	return post(client, fmt.Sprintf("http://travel-%s.default.%s/%s/%s", strings.ToLower(service), domain, service, method), key, body)
}

const places = 10_000

// answers asks for what every service can do, once.
func (w *world) answers(t *testing.T) {
	w.ask(t, "Hotel", "Add", "room", fmt.Sprintf(`{"hotelID":"ritz","capacity":%d}`, places))
	w.ask(t, "Flight", "Add", "seat", fmt.Sprintf(`{"flightID":"LH1","seats":%d}`, places))
	w.ask(t, "Hotel", "Add", "none", `{"hotelID":"full","capacity":0}`)
	for range 2 { // the same key, the same trip
		if got := w.ask(t, "Frontend", "Book", "trip-0", `{"user":"user-0","hotelID":"ritz","flightID":"LH1"}`); got != "1" {
			t.Errorf("the first trip is %s, want 1", got)
		}
	}
	w.booked = 1
	_, err := w.try("Frontend", "Book", "", `{"user":"user-0","hotelID":"full","flightID":"LH1"}`)
	if err == nil || !strings.Contains(err.Error(), "frontend.ErrFull") {
		t.Errorf("a trip to a full hotel: %v, want frontend.ErrFull", err)
	}
	if _, err := w.try("Hotel", "Reserv", "", `{}`); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a method that is not there: %v, want 404", err)
	}
	w.check(t)
}

// check compares the whole state with the trips that were booked.
func (w *world) check(t *testing.T) {
	t.Helper()
	if got, want := w.ask(t, "Flight", "Seats", "", `{"flightID":"LH1"}`), fmt.Sprintf(`{"seats":%d,"ok":true}`, places-w.booked); got != want {
		t.Errorf("seats %s, want %s", got, want)
	}
	if got, want := w.ask(t, "Orders", "Count", "", `{}`), strconv.Itoa(w.booked); got != want {
		t.Errorf("%s orders, want %s", got, want)
	}
	var room struct {
		Capacity int
		Guests   []string
	}
	reply := w.ask(t, "Hotel", "Room", "", `{"hotelID":"ritz"}`)
	if err := json.Unmarshal([]byte(reply), &room); err != nil {
		t.Fatalf("%v in %s", err, reply)
	}
	slices.Sort(room.Guests)
	guests := len(slices.Compact(slices.Clone(room.Guests)))
	if len(room.Guests) != w.booked || guests != w.booked || room.Capacity != places-w.booked {
		t.Errorf("%d guests, %d of them different, %d places free; want %d, %[4]d and %d", len(room.Guests), guests, room.Capacity, w.booked, places-w.booked)
	}
}

// strangers calls an inner service as only its callers may.
func (w *world) strangers(t *testing.T) {
	secret, err := w.resource(schema.GroupVersionKind{Version: "v1", Kind: "Secret"}, "default").Get(t.Context(), "travel-keys", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := dialing("10.96.0.81:80")
	transport.Protocols = protocols
	call := func(purpose string) int {
		data, _, _ := unstructured.NestedString(secret.Object, "data", purpose)
		key, err := base64.StdEncoding.DecodeString(data)
		if err != nil {
			t.Fatal(err)
		}
		status := 0
		eventually(t, "a call with the key "+purpose, time.Minute, func() error {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://travel-hotel-calls.default.svc.cluster.local/onefold/call/Hotel/Total", strings.NewReader("x"))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(key)))
			reply, err := transport.RoundTrip(request)
			if err != nil {
				return err
			}
			reply.Body.Close()
			status = reply.StatusCode
			if status >= 500 {
				return errors.New(reply.Status)
			}
			return nil
		})
		return status
	}
	for purpose, want := range map[string]int{"Frontend.Hotel": http.StatusBadRequest, "Frontend.Flight": http.StatusUnauthorized, "store": http.StatusUnauthorized, "none": http.StatusUnauthorized} {
		if got := call(purpose); got != want { // a bad request is one that was let in
			t.Errorf("a call of Hotel with the key %s has status %d, want %d", purpose, got, want)
		}
	}
}

// load books trips from several clients at once, each until it is answered, and
// runs disturb in the middle.
func (w *world) load(t *testing.T, trips int, disturb func()) {
	t.Helper()
	var mu sync.Mutex
	orders := map[string]bool{}
	next, retried := w.booked, 0
	end := w.booked + trips
	began := time.Now()
	book := func(trip int) (string, error) {
		return w.try("Frontend", "Book", fmt.Sprintf("trip-%d", trip), fmt.Sprintf(`{"user":"user-%d","hotelID":"ritz","flightID":"LH1"}`, trip))
	}
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for {
				mu.Lock()
				trip := next
				next++
				mu.Unlock()
				if trip >= end {
					return
				}
				if trip == w.booked+trips/3 {
					disturb()
				}
				order, err := book(trip)
				for give := time.Now().Add(2 * time.Minute); err != nil && time.Now().Before(give); time.Sleep(100 * time.Millisecond) {
					mu.Lock()
					retried++
					mu.Unlock()
					order, err = book(trip)
				}
				mu.Lock()
				if err != nil {
					t.Errorf("trip %d: %v", trip, err)
				} else if orders[order] {
					t.Errorf("trip %d has order %s, and so has another", trip, order)
				}
				orders[order] = true
				mu.Unlock()
			}
		})
	}
	clients.Wait()
	w.booked = end
	t.Logf("%d trips in %.1f s, %d requests sent again", trips, time.Since(began).Seconds(), retried)
	w.check(t)
}

// kill kills a process without notice, and removes a pod, while trips are booked.
func (w *world) kill(t *testing.T) {
	w.load(t, 150, func() { killProcesses(t, "ONEFOLD_SERVICES=Hotel") })
	w.load(t, 150, func() {
		for _, pod := range w.pods(t, "travel-frontend") {
			err := w.podsResource().Delete(t.Context(), pod, metav1.DeleteOptions{GracePeriodSeconds: ptr.To[int64](0)})
			if err != nil {
				t.Errorf("delete pod %s: %v", pod, err)
			}
		}
	})
}

// killProcesses kills the processes that have a variable.
func killProcesses(t *testing.T, variable string) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ") // the pattern is right
	killed := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil || !strings.Contains("\x00"+string(data), "\x00"+variable+"\x00") {
			continue // ended, or another one
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err := syscall.Kill(pid, syscall.SIGKILL); err == nil {
			killed++
		}
	}
	if killed == 0 {
		t.Errorf("there is no process with %s", variable)
	}
}

func (w *world) podsResource() dynamic.ResourceInterface {
	return w.resource(schema.GroupVersionKind{Version: "v1", Kind: "Pod"}, "default")
}

// pods returns the pods of a Knative Service; "" is all of them.
func (w *world) pods(t *testing.T, service string) (names []string) {
	t.Helper()
	selector := "serving.knative.dev/service"
	if service != "" {
		selector += "=" + service
	}
	list, err := w.podsResource().List(t.Context(), metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		t.Fatal(err)
	}
	for _, pod := range list.Items {
		names = append(names, pod.GetName())
	}
	return names
}

// zero waits until all replicas are gone, and books a trip with none.
func (w *world) zero(t *testing.T) {
	began := time.Now()
	eventually(t, "all services scale to zero", 4*time.Minute, func() error {
		if pods := w.pods(t, ""); len(pods) > 0 {
			return fmt.Errorf("there are still %v", pods)
		}
		return nil
	})
	t.Logf("no replica is left %.1f s after the last request", time.Since(began).Seconds())
	began = time.Now()
	w.ask(t, "Frontend", "Book", fmt.Sprintf("trip-%d", w.booked), fmt.Sprintf(`{"user":"user-%d","hotelID":"ritz","flightID":"LH1"}`, w.booked))
	w.booked++
	t.Logf("the first trip, through four services with no replica, takes %.2f s", time.Since(began).Seconds())
	w.check(t)
}

// newer is what the second version says of full hotels.
const newer = "sold out, says the second version"

// split gives a second version a part of the requests, and then all.
func (w *world) split(t *testing.T) {
	app := secondVersion(t)
	old := w.revision(t, "travel-frontend")
	image := w.build(t, app)
	all := w.file
	w.file = write(t, w.dir, "split.yaml", onefoldYAML+fmt.Sprintf("  Frontend: {traffic: [{revision: %s, percent: 70}]}\n", old))
	w.deploy(t, app, image)
	versions := func() (old, young int) {
		for range 100 {
			_, err := w.try("Frontend", "Book", "", `{"user":"late","hotelID":"full","flightID":"LH1"}`)
			switch {
			case err != nil && strings.Contains(err.Error(), newer):
				young++
			case err != nil && strings.Contains(err.Error(), "no room or seat left"):
				old++
			}
		}
		return old, young
	}
	eventually(t, "the first version has 70 of 100 requests and the second 30", 2*time.Minute, func() error {
		if first, second := versions(); first != 70 || second != 30 {
			return fmt.Errorf("%d and %d", first, second)
		}
		return nil
	})
	w.load(t, 100, func() {})
	w.file = all
	w.deploy(t, app, image)
	eventually(t, "the second version has all requests", 2*time.Minute, func() error {
		if _, second := versions(); second != 100 {
			return fmt.Errorf("it has %d of 100", second)
		}
		return nil
	})
	w.check(t)
}

// revision returns the revision of a service that is ready.
func (w *world) revision(t *testing.T, service string) string {
	t.Helper()
	o, err := w.resource(schema.GroupVersionKind{Group: "serving.knative.dev", Version: "v1", Kind: "Service"}, "default").Get(t.Context(), service, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	name, _, _ := unstructured.NestedString(o.Object, "status", "latestReadyRevisionName")
	return name
}

// secondVersion returns the folder of a copy of the travel application, in a
// module of its own, that says something else of full hotels.
func secondVersion(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "travel")
	if err := os.CopyFS(dir, os.DirFS("../testdata/apps/travel")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "gen")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"doc.go", "travel_test.go"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	err := filepath.WalkDir(dir, func(file string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		text := strings.ReplaceAll(string(data), "github.com/onefold/onefold/testdata/apps/travel/", "example.test/travel/")
		text = strings.ReplaceAll(text, "frontend: no room or seat left", newer)
		return os.WriteFile(file, []byte(text), 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	sync, err := exec.Command("go", "list", "-m", "golang.org/x/sync").Output()
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "go.mod", "module example.test/travel\n\ngo 1.26.0\n\nrequire "+strings.TrimSpace(string(sync))+"\n")
	sums, err := os.ReadFile("../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "go.sum", string(sums))
	return dir
}

// failure deploys an image that is not there: what served before serves again.
func (w *world) failure(t *testing.T) {
	old := w.revision(t, "travel-frontend")
	out, err := onefoldAt(t, "../testdata/apps/travel", "deploy", "--config", w.file, "--image", registryAddress+"/travel:lost", "--timeout", "1m", "--kubeconfig", w.kubeconfig, "./...")
	t.Log(out)
	if err == nil {
		t.Error("the deployment did not fail")
	}
	if !strings.Contains(out, "Service travel-frontend: back to revision "+old) {
		t.Errorf("the output does not say that travel-frontend is back at %s", old)
	}
	if !strings.Contains(out, "travel:lost") {
		t.Error("the output does not say which image is missing")
	}
	w.load(t, 30, func() {})
}
