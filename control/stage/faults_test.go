//go:build linux

package stage_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/onefold/onefold/control/stage"
	"github.com/onefold/onefold/runtime/gateway"
)

var faultsFor = flag.Duration("faults", 3*time.Second, "how long processes are killed and stopped for")

// An errand is a request that a client made under its key.
type errand struct {
	client, number int
	acked          bool
	reply          string
}

// customers are what the clients of an application do.
type customers interface {
	services() []string
	// prepare makes what a client needs.
	prepare(c *client)
	// request returns a client's n-th request, which has never been made.
	request(c *client, n int) (path, body string)
	// check compares the state with the errands of all clients.
	check(t *testing.T, c *client, errands []errand)
}

// faultyClients send one request after the other.
const faultyClients = 4

// TestFaults kills processes with SIGKILL, the storage process too, and stops
// others for a while, again and again, while clients send requests and repeat each
// under its key until they have an answer. In the end every request that was answered
// has happened exactly once, those that were given up at most once, and none in part.
func TestFaults(t *testing.T) {
	for name, app := range map[string]customers{"travel": travellers{}, "bank": savers{}} {
		t.Run(name, func(t *testing.T) {
			seed := time.Now().UnixNano()
			t.Logf("seed %d", seed)
			s, g := startProgram(t, name, stage.Options{
				Services: app.services(),
				Replicas: map[string]int{app.services()[0]: 2, app.services()[1]: 2},
				Args:     []string{"--timeout", "3s", "--drain", "3s"},
				Data:     t.TempDir() + "/data",
			}, gateway.Options{Timeout: longestRequest, HealthEvery: 50 * time.Millisecond, HealthTimeout: 500 * time.Millisecond})
			server := httptest.NewServer(g)
			t.Cleanup(server.Close)
			errands, faults := underFaults(t, app, server.URL, s, uint64(seed))
			acked := 0
			for _, e := range errands {
				if e.acked {
					acked++
				}
			}
			t.Logf("%d faults, %d requests acknowledged", faults, acked)
			if faults < 3 || acked < faults {
				t.Errorf("%d faults and %d acknowledged requests show nothing", faults, acked)
			}
			app.check(t, newClient(t, server.URL, 0), errands)
		})
	}
}

// underFaults runs the clients while processes fail.
func underFaults(t *testing.T, app customers, url string, s *stage.Stage, seed uint64) (all []errand, faults int) {
	stop := make(chan struct{})
	made := make([][]errand, faultyClients)
	var clients sync.WaitGroup
	for i := range made {
		clients.Go(func() {
			c := newClient(t, url, i)
			made[i] = c.run(app, rand.New(rand.NewPCG(seed, uint64(i))), stop)
		})
	}
	faults = failUntil(t, s, time.Now().Add(*faultsFor), rand.New(rand.NewPCG(seed, faultyClients)))
	close(stop)
	clients.Wait()
	for _, m := range made {
		all = append(all, m...)
	}
	return all, faults
}

// failUntil kills or stops a process at random until the time has come. A process
// that was stopped goes on a while later.
func failUntil(t *testing.T, s *stage.Stage, end time.Time, random *rand.Rand) (faults int) {
	var stopped sync.WaitGroup
	defer stopped.Wait()
	for time.Now().Before(end) {
		time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
		all := s.Replicas()
		r := all[random.IntN(len(all))]
		if r.PID == 0 || r.State == "paused" {
			continue
		}
		faults++
		if random.IntN(2) == 0 {
			syscall.Kill(r.PID, syscall.SIGKILL)
			continue
		}
		length := time.Duration(random.IntN(1500)) * time.Millisecond
		if s.Pause(r.Service, r.Number) != nil {
			continue // it has just died
		}
		stopped.Go(func() {
			time.Sleep(length)
			s.Resume(r.Service, r.Number) // unless it has died meanwhile
		})
	}
	return faults
}

// client is one client of the application.
type client struct {
	t      *testing.T
	url    string
	number int
	http   *http.Client
}

// longestRequest is the deadline of requests, and longestAnswer when an answer must
// be there at the latest, on a slow machine too.
const (
	longestRequest = 5 * time.Second
	longestAnswer  = 30 * time.Second
)

func newClient(t *testing.T, url string, number int) *client {
	return &client{t: t, url: url, number: number, http: &http.Client{Timeout: longestAnswer}}
}

// run makes requests until stop.
func (c *client) run(app customers, random *rand.Rand, stop <-chan struct{}) (made []errand) {
	app.prepare(c)
	var duplicates sync.WaitGroup
	defer duplicates.Wait()
	for n := 1; ; n++ {
		select {
		case <-stop:
			return made
		default:
		}
		path, body := app.request(c, n)
		key := fmt.Sprintf("client %d request %d", c.number, n)
		if random.IntN(4) == 0 { // a duplicate that nobody waits for
			duplicates.Go(func() { c.post(path, body, key) })
		}
		e := errand{client: c.number, number: n}
		if random.IntN(10) == 0 { // given up at the first failure
			status, reply := c.post(path, body, key)
			e.acked, e.reply = status == http.StatusOK, reply
		} else {
			e.acked, e.reply = true, c.persist(path, body, key)
		}
		made = append(made, e)
	}
}

// post makes one delivery. Whatever fails, the gateway answers in time.
func (c *client) post(path, body, key string) (status int, reply string) {
	r, err := http.NewRequest(http.MethodPost, c.url+path, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		c.t.Errorf("%s %s: no answer: %v", path, body, err)
		return 0, ""
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Errorf("%s %s: no whole answer: %v", path, body, err)
	}
	return resp.StatusCode, strings.TrimSpace(string(b))
}

// persist repeats a request under its key until there is an answer.
func (c *client) persist(path, body, key string) (reply string) {
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(time.Millisecond) {
		status, reply := c.post(path, body, key)
		if status == http.StatusOK {
			return reply
		}
		if status < 500 || time.Now().After(deadline) {
			c.t.Errorf("%s %s: %d %s", path, body, status, reply)
			return reply
		}
	}
}

// query asks until there is an answer, and decodes it.
func (c *client) query(path, body string, into any) {
	c.t.Helper()
	if err := json.Unmarshal([]byte(c.persist(path, body, "")), into); err != nil {
		c.t.Errorf("%s %s: %v", path, body, err)
	}
}

// startProgram starts a stage of a compiled application.
func startProgram(t *testing.T, name string, opts stage.Options, front gateway.Options) (*stage.Stage, *gateway.Gateway) {
	t.Helper()
	t.Setenv(asProgram, name)
	dir, err := os.MkdirTemp("", "stage")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	g := gateway.New(front)
	opts.Program, opts.Dir, opts.Gateway = os.Args[0], dir, g
	s, err := stage.Start(t.Context(), opts)
	if err != nil {
		g.Close()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
		g.Close()
	})
	return s, g
}
