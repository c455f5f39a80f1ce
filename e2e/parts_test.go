//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// host is a process with a network of its own, as a pod has.
type host struct{ name, address string }

// TestParts runs each service of the travel application as its Deployment says: the
// image's files, the command line, the environment, the user, and a network of
// its own in which the Service names of the others are known. The store is the program's
// own server. Requests come in at the public service while inner ones are killed.
func TestParts(t *testing.T) {
	root := filepath.Join(t.TempDir(), "root")
	if out, err := onefold(t, "travel", "build", "-o", "dir:"+root, "./..."); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	config := write(t, t.TempDir(), "onefold.yaml", "store: {kind: server, address: \"tcp://storage:7071\"}\nservices: {Hotel: {expose: true}, Flight: {expose: true}}\n")
	manifest, err := onefold(t, "travel", "manifests", "--target", "kubernetes", "--config", config, "./...")
	if err != nil {
		t.Fatalf("%v\n%s", err, manifest)
	}
	pods := podsOf(t, manifest)
	hosts := []host{{"storage", "10.99.0.2"}}
	for name := range pods {
		hosts = append(hosts, host{name, fmt.Sprintf("10.99.0.%d", len(hosts)+2)})
	}
	network(t, hosts)
	populate(t, root, hosts)
	address := map[string]string{}
	for _, h := range hosts {
		address[h.name] = h.address
	}
	keys := corev1.Container{Env: []corev1.EnvVar{{Name: "ONEFOLD_KEYS", Value: "/var/run/onefold/keys"}}}
	contain(t, "storage", root, []string{"/service", "store", "--data", "/data", "--listen", "tcp://:7071"}, keys)
	for name, c := range pods {
		contain(t, name, root, append(c.Command, c.Args...), c)
	}
	for name, c := range pods {
		probe := fmt.Sprintf("http://%s:%d%s", address[name], c.ReadinessProbe.HTTPGet.Port.IntValue(), c.ReadinessProbe.HTTPGet.Path)
		eventually(t, name+" is ready", time.Minute, func() error { _, err := post(direct, probe, "", ""); return err })
	}
	book(t, address)
}

// podsOf returns the containers of the Deployments in a manifest, by name.
func podsOf(t *testing.T, manifest string) map[string]corev1.Container {
	t.Helper()
	pods := map[string]corev1.Container{}
	for _, document := range strings.Split(manifest, "\n---\n") {
		var d appsv1.Deployment
		if err := yaml.Unmarshal([]byte(document), &d); err == nil && d.Kind == "Deployment" {
			pods[d.Name] = d.Spec.Template.Spec.Containers[0]
		}
	}
	return pods
}

// network gives each host an address on one bridge.
func network(t *testing.T, hosts []host) {
	t.Helper()
	run(t, "mount", "-t", "tmpfs", "tmpfs", "/run")
	run(t, "ip", "link", "add", "br0", "type", "bridge")
	run(t, "ip", "addr", "add", "10.99.0.1/24", "dev", "br0")
	run(t, "ip", "link", "set", "br0", "up")
	for i, h := range hosts {
		run(t, "ip", "netns", "add", h.name)
		run(t, "ip", "link", "add", fmt.Sprintf("v%d", i), "type", "veth", "peer", "name", "eth0", "netns", h.name)
		run(t, "ip", "link", "set", fmt.Sprintf("v%d", i), "master", "br0", "up")
		run(t, "ip", "-n", h.name, "addr", "add", h.address+"/24", "dev", "eth0")
		run(t, "ip", "-n", h.name, "link", "set", "eth0", "up")
		run(t, "ip", "-n", h.name, "link", "set", "lo", "up")
	}
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// populate puts into the files what Kubernetes would: the names of hosts, and keys.
func populate(t *testing.T, root string, hosts []host) {
	t.Helper()
	var names strings.Builder
	for _, h := range hosts {
		fmt.Fprintf(&names, "%s %s\n", h.address, h.name)
	}
	folder := filepath.Join(root, "var/run/onefold/keys")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{filepath.Join(root, "etc/hosts"): names.String()}
	for _, purpose := range []string{"store", "Frontend.Hotel", "Frontend.Flight", "Frontend.Orders"} {
		files[filepath.Join(folder, purpose)] = "0123456789abcdef-" + purpose + "\n"
	}
	for file, text := range files {
		if err := os.WriteFile(file, []byte(text), 0o444); err != nil {
			t.Fatal(err)
		}
	}
}

// contain starts a process where a host is, and starts it again when it ends.
func contain(t *testing.T, name, root string, command []string, c corev1.Container) {
	t.Helper()
	args := append([]string{"netns", "exec", name, "chroot", "--userspec=65532:65532", root}, command...)
	var output bytes.Buffer
	var mu sync.Mutex
	stopped := false
	var cmd *exec.Cmd
	begin := func() error {
		cmd = exec.Command("ip", args...)
		cmd.Stdout, cmd.Stderr = &output, &output
		cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
		for _, v := range c.Env {
			cmd.Env = append(cmd.Env, v.Name+"="+v.Value)
		}
		return cmd.Start()
	}
	ended := make(chan struct{})
	mu.Lock()
	if err := begin(); err != nil {
		t.Fatal(err)
	}
	mu.Unlock()
	go func() {
		defer close(ended)
		for {
			_ = cmd.Wait() // killed by the test, or by itself: Kubernetes starts it again
			mu.Lock()
			if stopped || begin() != nil {
				mu.Unlock()
				return
			}
			mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		mu.Lock()
		stopped = true
		_ = cmd.Process.Kill()
		mu.Unlock()
		<-ended
		if t.Failed() {
			t.Logf("the end of what %s says:\n%s", name, tail(output.Bytes(), 2000))
		}
	})
}

// direct sends to the host of the URL.
var direct = &http.Client{Timeout: 20 * time.Second}

// post sends a request, or gets a document where there is no body.
func post(client *http.Client, url, key, body string) (string, error) {
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	reply, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer reply.Body.Close()
	data, err := io.ReadAll(reply.Body)
	if err == nil && reply.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", url, reply.Status, data)
	}
	return strings.TrimSpace(string(data)), err
}

// book books trips while inner services are killed, each until it is answered: no
// trip is lost and none is booked twice.
func book(t *testing.T, address map[string]string) {
	const trips = 60
	ask := func(service, method, key, body string) string {
		t.Helper()
		var reply string
		eventually(t, method, 2*time.Minute, func() (err error) {
			reply, err = post(direct, "http://"+address["travel-"+service]+":8080/"+method, key, body)
			return err
		})
		return reply
	}
	ask("hotel", "Hotel/Add", "room", fmt.Sprintf(`{"hotelID":"ritz","capacity":%d}`, trips+1))
	ask("flight", "Flight/Add", "seat", fmt.Sprintf(`{"flightID":"LH1","seats":%d}`, trips+1))
	for i := range trips {
		if i%20 == 10 {
			victim := []string{"hotel", "orders", "flight"}[i/20]
			_ = exec.Command("sh", "-c", "kill -9 $(ip netns pids travel-"+victim+")").Run()
		}
		ask("frontend", "Frontend/Book", fmt.Sprintf("trip-%d", i), fmt.Sprintf(`{"user":"user-%d","hotelID":"ritz","flightID":"LH1"}`, i))
	}
	if got := ask("flight", "Flight/Seats", "", `{"flightID":"LH1"}`); got != `{"seats":1,"ok":true}` {
		t.Errorf("seats %s, want 1", got)
	}
	room := ask("hotel", "Hotel/Room", "", `{"hotelID":"ritz"}`)
	if got := strings.Count(room, "user-"); got != trips || !strings.Contains(room, `"capacity":1`) {
		t.Errorf("room %s, want %d guests and 1 bed", room, trips)
	}
}
