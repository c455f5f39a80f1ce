package deploy

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/apimachinery/pkg/util/httpstream/spdy"
	"k8s.io/client-go/tools/portforward"

	"github.com/onefold/onefold/instrument/poker"
	"github.com/onefold/onefold/instrument/poker/entry"
)

// The test binary is a poker when it is told so.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "poker" {
		os.Exit(entry.Run(os.Args[2:], os.Stdout, os.Stderr, "poker"))
	}
	os.Exit(m.Run())
}

// forwardPort is the server's side of port forwarding: what comes through a data stream
// goes to an address.
func forwardPort(w http.ResponseWriter, r *http.Request, to string) {
	if _, err := httpstream.Handshake(r, w, []string{portforward.PortForwardProtocolV1Name}); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	streams := make(chan httpstream.Stream, 8)
	conn := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(s httpstream.Stream, _ <-chan struct{}) error {
		streams <- s
		return nil
	})
	defer conn.Close()
	var failures httpstream.Stream
	for {
		select {
		case <-conn.CloseChan():
			return
		case s := <-streams:
			if s.Headers().Get(corev1.StreamType) == corev1.StreamTypeError {
				failures = s
				continue
			}
			go func(failures httpstream.Stream) {
				defer failures.Close()
				defer s.Close()
				pod, err := net.Dial("tcp", to)
				if err != nil {
					io.WriteString(failures, err.Error())
					return
				}
				defer pod.Close()
				go func() {
					io.Copy(pod, s)
					pod.(*net.TCPConn).CloseWrite()
				}()
				io.Copy(s, pod)
			}(failures)
		}
	}
}

// pokerPod is a pod as manifests with a profile make it.
func pokerPod(ready string) object {
	return object{
		"kind": "Pod", "apiVersion": "v1",
		"metadata": object{"name": "hotel-1", "labels": object{"app.kubernetes.io/part-of": "travel", "app.kubernetes.io/name": "travel-hotel"}},
		"spec": object{"containers": []any{object{
			"name": "service", "command": []any{"/poker", "--name=Hotel", "--", "/service"},
			"env": []any{
				object{"name": "ONEFOLD_POKER_CONTROL", "value": "tcp:127.0.0.1:7072"},
				object{"name": "ONEFOLD_POKER_TOKEN", "valueFrom": object{"secretKeyRef": object{"name": "travel-poker", "key": "token"}}},
			},
		}}},
		"status": object{"conditions": []any{object{"type": "Ready", "status": ready}}},
	}
}

const podPath, secretPath = "/api/v1/namespaces/default/pods/hotel-1", "/api/v1/namespaces/default/secrets/travel-poker"

// TestPokers: a real poker in the pod's place is reached through the API server, with
// the token of the secret, and pauses its command.
func TestPokers(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, c := newCluster(t, io.Discard)
	s.pod = l.Addr().String()
	l.Close()
	cmd := exec.Command(os.Args[0], "poker", "--control", "tcp:"+s.pod, "--name", "Hotel", "sleep", "1000")
	cmd.Env = append(os.Environ(), "ONEFOLD_POKER_TOKEN=sesame", "TMPDIR="+t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Signal(os.Interrupt)
	for started := false; !started; {
		conn, err := net.Dial("tcp", s.pod)
		if started = err == nil; started {
			conn.Close()
		} else if t.Context().Err() != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	s.objects[podPath] = pokerPod("True")
	s.objects[secretPath] = object{"kind": "Secret", "apiVersion": "v1", "data": object{"token": "c2VzYW1l"}}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	found, err := c.Pokers(ctx, "travel")
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 || found[0].Service != "Hotel" || found[0].Pod != "hotel-1" || found[0].Token != "sesame" {
		t.Fatalf("pokers %+v", found)
	}
	client, err := poker.Dial(ctx, found[0].Address, found[0].Token, "test", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	paused := make(chan error, 1)
	client.Pause(1, 5*time.Millisecond, func(in poker.Interval, err error) {
		if err == nil && in.Continue-in.Stop < int64(5*time.Millisecond) {
			t.Errorf("a pause of %d ns", in.Continue-in.Stop)
		}
		paused <- err
	})
	if err := <-paused; err != nil {
		t.Error(err)
	}
}

// TestNoPokers: what is missing is said.
func TestNoPokers(t *testing.T) {
	for want, prepare := range map[string]func(s *apiServer){
		"has no pods of an application": func(*apiServer) {},
		"is not ready":                  func(s *apiServer) { s.objects[podPath] = pokerPod("False") },
		"its poker's token":             func(s *apiServer) { s.objects[podPath] = pokerPod("True") },
		`has no key "token"`: func(s *apiServer) {
			s.objects[podPath] = pokerPod("True")
			s.objects[secretPath] = object{"kind": "Secret", "apiVersion": "v1"}
		},
		"write profile: {}": func(s *apiServer) {
			pod := pokerPod("True")
			pod["spec"] = object{"containers": []any{object{"name": "service", "command": []any{"/service"}}}}
			s.objects[podPath] = pod
		},
	} {
		s, c := newCluster(t, io.Discard)
		prepare(s)
		if _, err := c.Pokers(t.Context(), "travel"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
