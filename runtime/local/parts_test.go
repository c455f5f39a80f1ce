package local_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// parts are the processes of the travel application: a store server, and one
// process for each service.
type parts struct {
	dir   string
	env   []string
	store *process
	urls  map[string]string // of public addresses, by service
	procs map[string]*process
	envs  map[string][]string // by service
}

var travelServices = []string{"Flight", "Frontend", "Hotel", "Orders"}

// startParts starts them; calls go over unix sockets or, with keys, over TCP. more is
// further environment of the process of a service, or of "store".
func startParts(t *testing.T, tcp bool, more func(service string) []string) *parts {
	t.Helper()
	if more == nil {
		more = func(string) []string { return nil }
	}
	p := &parts{dir: t.TempDir(), urls: map[string]string{}, procs: map[string]*process{}, envs: map[string][]string{}}
	address := func(name string) string { return "unix://" + filepath.Join(p.dir, name) }
	scheme := ""
	if tcp {
		p.env = append(p.env, "ONEFOLD_KEYS="+filepath.Join(p.dir, "store-keys"))
		writeKeys(t, filepath.Join(p.dir, "store-keys"), "store")
		for _, s := range travelServices {
			keys := []string{"store"}
			for _, other := range travelServices {
				if s == "Frontend" && other != s {
					keys = append(keys, s+"."+other)
				} else if other == "Frontend" && other != s {
					keys = append(keys, other+"."+s)
				}
			}
			writeKeys(t, filepath.Join(p.dir, s+"-keys"), keys...)
		}
		free := map[string]string{}
		address = func(name string) string {
			if free[name] == "" {
				free[name] = freeAddress(t)
			}
			return free[name]
		}
		scheme = "http://"
	}
	storeAt := address("store")
	if tcp {
		storeAt = "tcp://" + storeAt
	}
	p.store = p.start(t, "keeps its state", more("store"), "store", "--data", filepath.Join(p.dir, "data"), "--listen", storeAt)
	var peers []string
	for _, s := range travelServices {
		peers = append(peers, s+"="+scheme+address(s))
	}
	for _, s := range travelServices {
		env := []string{"ONEFOLD_SERVICES=" + s, "ONEFOLD_INTERNAL=" + address(s), "ONEFOLD_PEERS=" + strings.Join(peers, ","), "ONEFOLD_STORE=" + storeAt}
		env = append(env, more(s)...)
		if tcp {
			env = append(env, "ONEFOLD_KEYS="+filepath.Join(p.dir, s+"-keys"))
		}
		p.envs[s] = env
		p.procs[s] = p.start(t, "GET /openapi.json", env, "--listen", "127.0.0.1:0")
		p.urls[s] = p.procs[s].url
	}
	return p
}

// keyOf returns the key of the tests for a purpose.
func keyOf(purpose string) string { return "0123456789abcdef-" + purpose }

// writeKeys writes a folder of keys.
func writeKeys(t *testing.T, dir string, purposes ...string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, purpose := range purposes {
		if err := os.WriteFile(filepath.Join(dir, purpose), []byte(keyOf(purpose)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// callWith sends a call without body, with the key for a purpose, and returns the status.
func callWith(t *testing.T, url, purpose string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if purpose != "" {
		req.Header.Set("Authorization", "Bearer "+keyOf(purpose))
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// start starts a process that has begun when it prints until.
func (p *parts) start(t *testing.T, until string, env []string, args ...string) *process {
	t.Helper()
	proc := &process{cmd: command(args...), stderr: new(bytes.Buffer)}
	proc.cmd.Env = append(append(proc.cmd.Env, p.env...), env...)
	proc.cmd.Stderr = proc.stderr
	stdout, err := proc.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := proc.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { proc.cmd.Process.Kill(); proc.cmd.Wait() })
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		proc.banner += lines.Text() + "\n"
		if strings.Contains(lines.Text(), until) {
			proc.url = regexp.MustCompile(`http://[^/, ]+`).FindString(proc.banner)
			go io.Copy(io.Discard, stdout)
			return proc
		}
	}
	t.Fatalf("%v ended: %v: %s%s", args, proc.cmd.Wait(), proc.banner, proc.stderr)
	return nil
}

// want makes a request to the process of a service.
func (p *parts) want(t *testing.T, service, method, body, key string, status int, reply string) {
	t.Helper()
	got, text, err := post(http.DefaultClient, p.urls[service]+"/"+service+"/"+method, body, key)
	if err != nil || got != status || !strings.Contains(text, reply) {
		t.Errorf("%s.%s %s: %d %s, %v; want %d %s", service, method, body, got, text, err, status, reply)
	}
}

// TestParts runs every service of the travel application as a process of its own.
func TestParts(t *testing.T) {
	for name, tcp := range map[string]bool{"unix": false, "tcp": true} {
		t.Run(name, func(t *testing.T) {
			p := startParts(t, tcp, nil)
			p.want(t, "Hotel", "Add", `{"hotelID":"ritz","capacity":1}`, "", 200, "null")
			p.want(t, "Flight", "Add", `{"flightID":"LH1","seats":9}`, "", 200, "null")
			p.want(t, "Frontend", "Book", `{"user":"ann","hotelID":"ritz","flightID":"LH1"}`, "trip-1", 200, "1")
			p.want(t, "Frontend", "Book", `{"user":"ann","hotelID":"ritz","flightID":"LH1"}`, "trip-1", 200, "1")
			p.want(t, "Hotel", "Room", `{"hotelID":"ritz"}`, "", 200, `{"capacity":0,"guests":["ann"]}`)
			p.want(t, "Frontend", "Book", `{"user":"bob","hotelID":"ritz","flightID":"LH1"}`, "", 422, "frontend.ErrFull")
			p.want(t, "Flight", "Seats", `{"flightID":"LH1"}`, "", 200, `{"seats":8,"ok":true}`)
			p.want(t, "Orders", "Count", `{}`, "", 200, "1")

			// Calls do not come in by the public address, and not without a key.
			call := "/onefold/call/Hotel/Total"
			if status, _, err := post(http.DefaultClient, p.urls["Hotel"]+call, "", ""); err != nil || status != 404 {
				t.Errorf("a call at the public address: %d, %v; want 404", status, err)
			}
			if tcp {
				at := regexp.MustCompile(`other processes at (\S+),`).FindStringSubmatch(p.procs["Hotel"].banner)[1]
				for purpose, want := range map[string]int{"": 401, "store": 401, "Frontend.Flight": 401, "Frontend.Hotel": 400} { // no call is in the body
					if status := callWith(t, "http://"+at+call, purpose); status != want {
						t.Errorf("a call with the key %q: %d, want %d", purpose, status, want)
					}
				}
			}

			// A process that is gone is waited for.
			hotel := p.procs["Hotel"]
			hotel.cmd.Process.Signal(syscall.SIGKILL)
			hotel.cmd.Wait()
			replied := make(chan error, 1)
			go func() {
				status, text, err := post(http.DefaultClient, p.urls["Frontend"]+"/Frontend/Book", `{"user":"cid","hotelID":"none","flightID":"LH1"}`, "trip-2")
				if err == nil && status != 422 {
					err = fmt.Errorf("status %d: %s", status, text)
				}
				replied <- err
			}()
			time.Sleep(20 * time.Millisecond)
			again := p.start(t, "GET /openapi.json", p.envs["Hotel"], "--listen", "127.0.0.1:0")
			p.urls["Hotel"] = again.url
			if err := <-replied; err != nil {
				t.Errorf("a request while a process is gone: %v", err)
			}
			p.want(t, "Hotel", "Total", `{}`, "", 200, "1")

			for _, proc := range []*process{p.procs["Frontend"], again, p.store} {
				proc.cmd.Process.Signal(syscall.SIGTERM)
				if err := proc.cmd.Wait(); err != nil {
					t.Errorf("stopped by SIGTERM: %v: %s", err, proc.stderr)
				}
			}
		})
	}
}

func TestPartMistakes(t *testing.T) {
	for _, test := range []struct {
		env  string
		args []string
		code int
		want string
	}{
		{"ONEFOLD_SERVICES=Hotels", nil, 1, `there is no service "Hotels"`},
		{"ONEFOLD_SERVICES=Frontend", nil, 1, "service Frontend calls Flight, which is neither in ONEFOLD_SERVICES nor in ONEFOLD_PEERS"},
		{"ONEFOLD_STORE=mysql", nil, 1, "want embedded:FOLDER, unix:///path, tcp://host:port or fdb:CLUSTERFILE"},
		{"ONEFOLD_STORE=fdb:", nil, 1, "built without FoundationDB"},
		{"X=", []string{"--listen", "none"}, 1, "nobody could reach the process"},
		{"X=", []string{"store"}, 2, "--listen is missing"},
		{"X=", []string{"store", "--listen", "tcp://127.0.0.1:0", "--data", t.TempDir()}, 1, "needs ONEFOLD_KEYS or ONEFOLD_TLS"},
		{"X=", []string{"store", "--help"}, 0, "Keeps the state of travel for several processes"},
	} {
		args := test.args
		if args == nil {
			args = []string{"--listen", "127.0.0.1:0", "--data", t.TempDir()}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		cmd := command(args...)
		cmd.Env = append(cmd.Env, test.env)
		stop := context.AfterFunc(ctx, func() { cmd.Process.Kill() })
		defer stop()
		out, err := cmd.CombinedOutput()
		if (err == nil) != (test.code == 0) || err != nil && !exitedWith(err, test.code) {
			t.Errorf("%s %v: %v, want exit %d", test.env, args, err, test.code)
		}
		if !strings.Contains(string(out), test.want) {
			t.Errorf("%s %v prints %s, want %q in it", test.env, args, out, test.want)
		}
	}
}
