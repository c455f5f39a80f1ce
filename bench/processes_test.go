package bench_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/onefold/onefold/bench/byhand"
	"github.com/onefold/onefold/control/stage"
	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/gateway"
	"github.com/onefold/onefold/runtime/local"
	countergen "github.com/onefold/onefold/testdata/apps/counter/gen"
	travelgen "github.com/onefold/onefold/testdata/apps/travel/gen"
)

// TestMain makes the test binary, by the name it is called by, the program of a
// stage: a compiled application, or one by hand. It is a worker of the sweep too.
func TestMain(m *testing.M) {
	if socket := os.Getenv(asWorker); socket != "" {
		os.Exit(work(socket))
	}
	compiled := map[string]func() *runtime.App{"travel": travelgen.App, "counter": countergen.App}
	args := os.Args[1:]
	switch program := filepath.Base(os.Args[0]); {
	case compiled[program] != nil:
		os.Exit(local.Main(compiled[program](), args))
	case program == handMade && args[0] == "store":
		os.Exit(local.Main(travelgen.App(), args))
	case program == handMade:
		os.Exit(byhand.Main(args))
	}
	os.Exit(m.Run())
}

const handMade = "by-hand"

// TestProcesses is TestComparison with each service in a process of its own, as
// onefold up runs them: behind a gateway, over a store in one more process.
func TestProcesses(t *testing.T) {
	loads := []int{1, 8, 32}
	t.Run("travel", func(t *testing.T) {
		services := []string{"Frontend", "Hotel", "Flight", "Orders"}
		compared := [2]contestant{startStage(t, "travel", services), startStage(t, handMade, services)}
		for _, c := range compared {
			fillPlaces(t, c.address)
		}
		compareAll(t, scenarios, loads, compared)
	})
	t.Run("two services", func(t *testing.T) {
		services := []string{"Tree", "Left", "Right"}
		compared := [2]contestant{startStage(t, "counter", services), startStage(t, handMade, services)}
		compareAll(t, []scenario{{"two-service transaction", "/Tree/Increment", func(i int) string {
			return fmt.Sprintf(`{"key":"key%d"}`, i%places)
		}}}, loads, compared)
	})
}

// startStage starts a process for each service, and a gateway.
func startStage(t *testing.T, program string, services []string) contestant {
	dir, err := os.MkdirTemp("", "bench") // the folder of t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	name := filepath.Join(dir, program)
	binary, err := os.Executable()
	if err == nil {
		err = os.Symlink(binary, name)
	}
	if err != nil {
		t.Fatal(err)
	}
	front := gateway.New(gateway.Options{})
	t.Cleanup(front.Close)
	s, err := stage.Start(t.Context(), stage.Options{Program: name, Services: services, Data: filepath.Join(dir, "data"), Dir: dir, Gateway: front, Log: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: front}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return contestant{listener.Addr().String(), func() time.Duration {
		used := cpuTime() // of the gateway and the clients
		for _, r := range s.Replicas() {
			used += r.CPU
		}
		return used
	}}
}
