//go:build e2e

package e2e

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/onefold/onefold/instrument/profile"
)

// profileYAML is how the travel application is deployed to be profiled: a poker in front of each
// replica, each on a slow processor, and no replica that comes or goes.
const profileYAML = `
registry: ` + registryAddress + `
store: {kind: server, address: "tcp://storage-stand-in.default.svc.cluster.local:7071"}
requests: {cpu: 10m, memory: 32Mi}
replicas: {min: 1, max: 1}
profile: {cores: 0.1}
`

// profileMix asks for rooms that are not there: the front end asks two services, and then
// says so.
const profileMix = `
target: http://10.96.0.80
requests:
- path: /Frontend/Book
  headers: {Host: travel-frontend.default.` + domain + `}
  body: {user: "user-${int:1-100}", hotelID: none, flightID: none}
  ok: [422]
`

// profile profiles the application in its pods, through the API server.
func (w *world) profile(t *testing.T, app, image string) {
	w.apply(t, `{apiVersion: v1, kind: Secret, metadata: {name: travel-poker, namespace: default}, stringData: {token: "of-the-pokers"}}`, nil)
	config := write(t, w.dir, "profile.yaml", profileYAML)
	if out, err := onefoldAt(t, app, "deploy", "--config", config, "--image", image, "--kubeconfig", w.kubeconfig, "./..."); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	eventually(t, "the front end says that the hotel is full", 2*time.Minute, func() error {
		_, err := w.try("Frontend", "Book", "", `{"user":"user-0","hotelID":"none","flightID":"none"}`)
		if err == nil || !strings.Contains(err.Error(), "frontend.ErrFull") {
			return fmt.Errorf("it says %w", err)
		}
		return nil
	})
	out, err := onefoldAt(t, w.dir, "profile", "--kubernetes", "travel", "--kubeconfig", w.kubeconfig, "--mix", write(t, w.dir, "mix.yaml", profileMix),
		"--targets", "Frontend,Hotel", "--faster", "50", "--repetitions", "2", "--window", "2s", "--clients", "32", "--raw", "raw.json")
	t.Log(out)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(filepath.Join(w.dir, "raw.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	raw, err := profile.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	w.checkProfile(t, raw)
}

// checkProfile checks what does not depend on how busy the machine is.
func (w *world) checkProfile(t *testing.T, raw *profile.Raw) {
	for _, s := range raw.Services {
		want := 1.0 // requests for each of the load's
		if s.Name == "Orders" {
			want = 0
		}
		if math.Abs(s.Ratio-want) > 0.05 || s.Cores != 0.1 || s.Replicas != 1 || !s.Pausable {
			t.Errorf("service %+v, want a ratio of %g and 0.1 cores of one replica", s, want)
		}
	}
	used := map[string]int{}
	for _, window := range raw.Windows {
		if window.Kind != profile.Experiment || window.Dropped != "" {
			continue
		}
		used[window.Target]++
		target, _ := raw.Target(window.Target)
		var sum profile.Totals
		for _, s := range window.Segments {
			sum.Add(s)
		}
		if ordered := sum.Target * window.Delta / target.Cores; math.Abs(sum.Paused/ordered-1) > 0.05 {
			t.Errorf("%s: pauses took %.0f ms, %.0f were ordered", window.Target, 1000*sum.Paused, 1000*ordered)
		}
	}
	if used["Frontend"] == 0 || used["Hotel"] == 0 {
		t.Errorf("usable experiments: %v", used)
	}
	for _, name := range w.pods(t, "") {
		pod, err := w.podsResource().Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		statuses, _, _ := unstructured.NestedSlice(pod.Object, "status", "containerStatuses")
		for _, status := range statuses {
			if n, _, _ := unstructured.NestedInt64(status.(map[string]any), "restartCount"); n > 0 {
				t.Errorf("a container of pod %s was started again %d times", name, n)
			}
		}
	}
}
