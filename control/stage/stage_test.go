//go:build linux

package stage_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/onefold/onefold/control/cgroup"
	"github.com/onefold/onefold/control/stage"
	"github.com/onefold/onefold/instrument/profile/local/localtest"
	"github.com/onefold/onefold/runtime/gateway"
	"github.com/onefold/onefold/runtime/local"

	bankgen "github.com/onefold/onefold/testdata/apps/bank/gen"
	travelgen "github.com/onefold/onefold/testdata/apps/travel/gen"
)

// asProgram makes the test binary the program of a stage: "serve" is a replica that
// answers with its process id, "keep" a program that has a stage and prints its
// processes, "travel" and "bank" are compiled applications.
const asProgram = "ONEFOLD_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	localtest.Poker()
	switch os.Getenv(asProgram) {
	case "serve":
		serve(os.Args[1:])
	case "keep":
		keep()
	case "travel":
		os.Exit(local.Main(travelgen.App(), os.Args[1:]))
	case "bank":
		os.Exit(local.Main(bankgen.App(), os.Args[1:]))
	default:
		os.Exit(m.Run())
	}
}

// serve listens at the socket after --listen, and answers until SIGTERM.
func serve(args []string) {
	if args[len(args)-1] == "--broken" && args[0] != "store" {
		fmt.Fprintln(os.Stderr, "this flag\nis broken")
		os.Exit(3)
	}
	for i, arg := range args {
		if arg == "--listen" {
			l, err := net.Listen("unix", strings.TrimPrefix(args[i+1], "unix://"))
			if err != nil {
				panic(err)
			}
			server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/readyz" {
					time.Sleep(time.Millisecond)
					fmt.Fprint(w, os.Getpid())
				}
			})}
			go server.Serve(l)
			ctx, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM)
			<-ctx.Done()
			server.Shutdown(context.Background())
		}
	}
}

// keep runs a stage until it is killed.
func keep() {
	os.Setenv(asProgram, "serve")
	g := gateway.New(gateway.Options{})
	s, err := stage.Start(context.Background(), stage.Options{Program: os.Args[0], Services: []string{"Hotel"}, Dir: os.Args[1], Gateway: g})
	if err != nil {
		panic(err)
	}
	for _, r := range s.Replicas() {
		fmt.Println(r.PID)
	}
	select {}
}

// start starts a stage of the test binary.
func start(t *testing.T, opts stage.Options) (*stage.Stage, *gateway.Gateway) {
	t.Helper()
	t.Setenv(asProgram, "serve")
	dir, err := os.MkdirTemp("", "stage") // the folder of t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	g := gateway.New(gateway.Options{HealthEvery: 20 * time.Millisecond})
	opts.Program, opts.Dir, opts.Gateway = os.Args[0], dir, g
	if opts.Services == nil {
		opts.Services = []string{"Flight", "Hotel"}
	}
	s, err := stage.Start(t.Context(), opts)
	if err != nil {
		g.Close()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		pids := pidsOf(s)
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
		g.Close()
		for _, pid := range pids {
			if alive(pid) {
				t.Errorf("process %d outlives its stage", pid)
			}
		}
	})
	return s, g
}

func pidsOf(s *stage.Stage) (pids []int) {
	for _, r := range s.Replicas() {
		pids = append(pids, r.PID)
	}
	return pids
}

// alive reports whether a process runs; a zombie does not.
func alive(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := strings.Cut(string(text), ") ")
	return err == nil && !strings.HasPrefix(state, "Z")
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func post(g *gateway.Gateway, path string) (int, string) {
	w := httptest.NewRecorder()
	g.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader("{}")))
	return w.Code, w.Body.String()
}

func find(s *stage.Stage, name string) stage.Replica {
	for _, r := range s.Replicas() {
		if r.Name() == name {
			return r
		}
	}
	return stage.Replica{}
}

func TestRestartsWhatDies(t *testing.T) {
	s, g := start(t, stage.Options{Replicas: map[string]int{"Hotel": 2}})
	var names []string
	for _, r := range s.Replicas() {
		if r.State != "up" || r.PID == 0 {
			t.Errorf("%s has state %s and process %d", r.Name(), r.State, r.PID)
		}
		names = append(names, r.Name())
	}
	if got := strings.Join(names, " "); got != "Flight/1 Hotel/1 Hotel/2 storage/1" {
		t.Errorf("the stage has %s", got)
	}
	for _, name := range []string{"Flight/1", "storage/1"} {
		before := find(s, name)
		syscall.Kill(before.PID, syscall.SIGKILL)
		eventually(t, name+" runs again", func() bool {
			now := find(s, name)
			return now.State == "up" && now.PID != before.PID && now.Restarts == 1
		})
	}
	pid := find(s, "Flight/1").PID
	if code, body := post(g, "/Flight/Add"); code != 200 || body != strconv.Itoa(pid) {
		t.Errorf("reply %d %s, want the process id %d", code, body, pid)
	}
}

func TestScaleLosesNoRequest(t *testing.T) {
	s, g := start(t, stage.Options{Services: []string{"Hotel"}})
	var stop atomic.Bool
	var clients sync.WaitGroup
	var served sync.Map
	for range 4 {
		clients.Go(func() {
			for !stop.Load() {
				code, body := post(g, "/Hotel/Add")
				if code != 200 {
					t.Errorf("reply %d %s", code, body)
				}
				served.Store(body, true)
			}
		})
	}
	if err := s.Scale(t.Context(), "Hotel", 3); err != nil {
		t.Error(err)
	}
	three := pidsOf(s)[:3]
	eventually(t, "all replicas have served", func() bool {
		for _, pid := range three {
			if _, ok := served.Load(strconv.Itoa(pid)); !ok {
				return false
			}
		}
		return true
	})
	if err := s.Scale(t.Context(), "Hotel", 1); err != nil {
		t.Error(err)
	}
	stop.Store(true)
	clients.Wait()
	if got := s.Replicas(); len(got) != 2 || got[0].PID != three[0] {
		t.Errorf("after scaling to 1 there are %+v, want the first process and storage", got)
	}
	for _, pid := range three[1:] {
		if alive(pid) {
			t.Errorf("process %d was to end", pid)
		}
	}
	if err := s.Scale(t.Context(), "Motel", 2); err == nil {
		t.Error("an unknown service can be scaled")
	}
}

func TestPause(t *testing.T) {
	s, _ := start(t, stage.Options{Services: []string{"Hotel"}})
	if err := s.Pause("Hotel", 1); err != nil {
		t.Fatal(err)
	}
	r := find(s, "Hotel/1")
	if r.State != "paused" {
		t.Errorf("a paused replica has state %s", r.State)
	}
	eventually(t, "stopped", func() bool { return stopped(r.PID) })
	if err := s.Resume("Hotel", 1); err != nil {
		t.Fatal(err)
	}
	eventually(t, "up again", func() bool { return find(s, "Hotel/1").State == "up" && !stopped(r.PID) })
	if err := s.Pause("Hotel", 2); err == nil || err.Error() != "there is no replica Hotel/2" {
		t.Errorf("an unknown replica: %v", err)
	}
}

func stopped(pid int) bool {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return strings.Contains(string(text), ") T ")
}

func TestGroups(t *testing.T) {
	tree, err := cgroup.New()
	if err != nil {
		t.Skipf("no control groups here: %v", err)
	}
	t.Cleanup(func() {
		if err := tree.Close(); err != nil {
			t.Error(err)
		}
	})
	s, g := start(t, stage.Options{Services: []string{"Hotel"}, Groups: tree})
	r := find(s, "Hotel/1")
	members, err := os.ReadFile(filepath.Join(r.Cgroup, "cgroup.procs"))
	if err != nil || strings.TrimSpace(string(members)) != strconv.Itoa(r.PID) {
		t.Errorf("the group has processes %q, want %d; %v", members, r.PID, err)
	}
	if err := s.SetQuota("Hotel", 1, 0.5); err != nil {
		t.Error(err)
	}
	post(g, "/Hotel/Add")
	if now := find(s, "Hotel/1"); now.Quota != 0.5 || now.CPU == 0 || now.Requests != 1 {
		t.Errorf("after a request under a quota: %+v", now)
	}
}

// TestParent starts replicas by another command.
func TestParent(t *testing.T) {
	parent := func(name string) []string {
		if name == "Hotel/1" {
			return []string{"sh", "-c", `"$@" & wait`, "parent"}
		}
		return nil
	}
	s, g := start(t, stage.Options{Services: []string{"Hotel"}, Parent: parent})
	code, body := post(g, "/Hotel/Add")
	child, err := strconv.Atoi(body)
	if err != nil || code != 200 || child == find(s, "Hotel/1").PID {
		t.Fatalf("reply %d %s; want the id of a child of process %d", code, body, find(s, "Hotel/1").PID)
	}
	syscall.Kill(find(s, "Hotel/1").PID, syscall.SIGKILL)
	eventually(t, "the replica of a parent that died is dead", func() bool { return !alive(child) })
}

func TestBrokenProgram(t *testing.T) {
	t.Setenv(asProgram, "serve")
	dir := t.TempDir()
	g := gateway.New(gateway.Options{})
	defer g.Close()
	var log bytes.Buffer
	opts := stage.Options{Program: os.Args[0], Args: []string{"--broken"}, Services: []string{"Hotel"}, Dir: dir, Store: "elsewhere", Gateway: g, Log: &log}
	_, err := stage.Start(t.Context(), opts)
	if err == nil || !strings.Contains(err.Error(), "Hotel/1 ends as soon as it is started: exit status 3") || !strings.Contains(err.Error(), "is broken") {
		t.Errorf("error %v, want why it ended and what it said", err)
	}
	if !strings.Contains(log.String(), "Hotel/1: is broken") {
		t.Errorf("log:\n%s", &log)
	}
	opts.Replicas = map[string]int{"Motel": 2}
	if _, err := stage.Start(t.Context(), opts); err == nil || !strings.Contains(err.Error(), "there is no such service") {
		t.Errorf("replicas of an unknown service: %v", err)
	}
}

// TestNothingOutlivesItsStage kills a program that has a stage.
func TestNothingOutlivesItsStage(t *testing.T) {
	dir, err := os.MkdirTemp("", "stage")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command(os.Args[0], dir)
	cmd.Env = append(os.Environ(), asProgram+"=keep")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var replica, storage int
	if _, err := fmt.Fscan(out, &replica, &storage); err != nil || !alive(replica) || !alive(storage) {
		t.Fatalf("processes %d and %d, %v", replica, storage, err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	eventually(t, "all processes are gone", func() bool { return !alive(replica) && !alive(storage) })
}
