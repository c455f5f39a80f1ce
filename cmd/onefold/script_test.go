package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/onefold/onefold/instrument/profile/synth"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"onefold": func() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
		"sandbox": sandbox,
		"synth": func() {
			fmt.Fprintln(os.Stderr, synth.Run(os.Args[1]))
			os.Exit(1)
		},
	})
}

// TestScript runs the command as a user does. Beside testscript's own commands
// there are await, capture, checkout, eventually, exitcode and post; see their comments.
func TestScript(t *testing.T) {
	env := goEnv(t)
	onefold, err := exec.LookPath("onefold") // testscript put it there
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Vars = append(e.Vars, env...)
			site := httptest.NewServer(http.HandlerFunc(serveSite))
			e.Defer(site.Close)
			images := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
			e.Defer(images.Close)
			e.Vars = append(e.Vars, "REGISTRY="+strings.TrimPrefix(images.URL, "http://"))
			e.Vars = append(e.Vars, "ADDR="+freeAddress(t), "ONEFOLD="+onefold, "CHECKOUT="+checkoutDir(), "SITE="+site.URL, "ADDR2="+freeAddress(t))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"await":       await,
			"capture":     capture,
			"checkout":    checkout,
			"eventually":  eventually,
			"post":        post,
			"exitcode":    exitCode,
			"get":         get,
			"gone":        gone,
			"killprocess": killProcess,
		},
		Condition: func(name string) (bool, error) {
			if name == "sandbox" {
				return canSandbox(), nil
			}
			return false, fmt.Errorf("unknown condition %s", name)
		},
		RequireExplicitExec: true,
	})
}

// goEnv returns what the go command needs to find its caches in a script's bare environment.
func goEnv(t *testing.T) []string {
	t.Helper()
	names := []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GONOSUMDB", "GOFLAGS", "GOTOOLCHAIN"}
	out, err := exec.Command("go", append([]string{"env"}, names...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	var env []string
	for i, value := range strings.Split(strings.TrimSuffix(string(out), "\n"), "\n") {
		env = append(env, names[i]+"="+value)
	}
	return env
}

// serveSite is a service for scripts that only need one to talk to: it has the
// document of the travel application, and answers everything else.
func serveSite(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/openapi.json" {
		http.ServeFile(w, r, "../../testdata/apps/travel/gen/openapi.json")
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// checkout makes a go.mod require this module where it says CHECKOUT, and gives
// it this module's checksums: checkout go.mod.
func checkout(ts *testscript.TestScript, _ bool, args []string) {
	file := ts.MkAbs(args[0])
	data, err := os.ReadFile(file)
	ts.Check(err)
	text := strings.ReplaceAll(string(data), "CHECKOUT", checkoutDir())
	ts.Check(os.WriteFile(file, []byte(text), 0o666))
	sum, err := os.ReadFile(filepath.Join(checkoutDir(), "go.sum"))
	ts.Check(err)
	ts.Check(os.WriteFile(filepath.Join(filepath.Dir(file), "go.sum"), sum, 0o666))
}

// await waits until a file holds what a regular expression matches: await FILE REGEXP.
func await(ts *testscript.TestScript, _ bool, args []string) {
	want := regexp.MustCompile(args[1])
	for range 1200 {
		if data, err := os.ReadFile(ts.MkAbs(args[0])); err == nil && want.Match(data) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("%s does not come to hold %s", args[0], args[1])
}

// exitCode runs onefold and compares its exit code: exitcode N args….
func exitCode(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec("onefold", args[1:]...)
	code := 0
	if exit, ok := err.(*exec.ExitError); ok {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got := fmt.Sprint(code); got != args[0] {
		ts.Fatalf("onefold %s: exit code %s, want %s", strings.Join(args[1:], " "), got, args[0])
	}
}

// eventually runs onefold until its output matches: eventually REGEXP args….
func eventually(ts *testscript.TestScript, _ bool, args []string) {
	want := regexp.MustCompile("(?m)" + args[0])
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if err := ts.Exec("onefold", args[1:]...); err == nil && want.MatchString(ts.ReadFile("stdout")) {
			return
		}
	}
	ts.Fatalf("onefold %s does not come to print %s, but %s%s", strings.Join(args[1:], " "), args[0], ts.ReadFile("stdout"), ts.ReadFile("stderr"))
}

// capture sets a variable to what a regular expression's group matches in the
// standard output of the last command: capture NAME REGEXP.
func capture(ts *testscript.TestScript, _ bool, args []string) {
	match := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if match == nil {
		ts.Fatalf("the output does not match %s", args[1])
	}
	ts.Setenv(args[0], match[1])
}

// post sends a request until the reply matches: post URL BODY REGEXP HEADERS…, each
// header as "Name: value".
func post(ts *testscript.TestScript, _ bool, args []string) {
	want := regexp.MustCompile(args[2])
	deadline := time.Now().Add(2 * time.Minute)
	last := ""
	for time.Now().Before(deadline) {
		req, err := http.NewRequest(http.MethodPost, args[0], strings.NewReader(args[1]))
		ts.Check(err)
		req.Header.Set("Content-Type", "application/json")
		for _, header := range args[3:] {
			name, value, _ := strings.Cut(header, ": ")
			req.Header.Set(name, value)
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			ts.Check(err)
			if last = strings.TrimSpace(string(body)); want.MatchString(last) {
				return
			}
		} else {
			last = err.Error()
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("post %s %s: last reply %s, want %s", args[0], args[1], last, want)
}

func TestCheckoutDir(t *testing.T) {
	want, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if got := checkoutDir(); got != want {
		t.Errorf("checkoutDir() = %q, want %q", got, want)
	}
}
