package inject_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/onefold/onefold/instrument/inject"
	"github.com/onefold/onefold/instrument/slowpoke/page"
)

// repeat is how often each request is sent.
const repeat = 3

// TestCorpus builds the programs of the corpus, instrumented, and sends each what its
// comment says: every request counts once, for the route that is named there, and
// nothing else does.
func TestCorpus(t *testing.T) {
	if testing.Short() {
		t.Skip("builds many dependencies")
	}
	dir := corpusDir(t)
	binary := buildInstrumented(t, dir, ".")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	programs := 0
	for _, e := range entries {
		name := e.Name()
		wants := readWants(t, filepath.Join(dir, name, name+".go"))
		if len(wants) == 0 {
			continue
		}
		programs++
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testProgram(t, binary, name, wants)
		})
	}
	if programs < 50 {
		t.Errorf("the corpus has %d programs", programs)
	}
}

func corpusDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("testdata/corpus")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// instrumented returns a module instrumented.
func instrumented(t *testing.T, opts inject.Options) *inject.Result {
	t.Helper()
	res, err := inject.Instrument(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if res.Diagnostics.HasErrors() {
		var b bytes.Buffer
		res.Diagnostics.Print(&b, opts.Dir)
		t.Fatal(b.String())
	}
	return res
}

// overlay writes the overlay of a result.
func overlay(t *testing.T, res *inject.Result) string {
	t.Helper()
	dir := t.TempDir()
	replace := map[string]string{}
	for i, f := range res.Files {
		replace[f.Name] = filepath.Join(dir, fmt.Sprintf("%d.go", i))
		if err := os.WriteFile(replace[f.Name], f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// buildInstrumented builds a command of the module in dir and returns the binary.
func buildInstrumented(t *testing.T, dir, pkg string) string {
	t.Helper()
	res := instrumented(t, inject.Options{Dir: dir})
	binary := filepath.Join(t.TempDir(), "program")
	goCommand(t, dir, "build", "-overlay", overlay(t, res), "-o", binary, pkg)
	return binary
}

func goCommand(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", args[0], err, out)
	}
}

// want is a request and what counts it.
type want struct {
	protocol, method, path string
	status                 string
	counts                 map[string]int64
}

// readWants reads lines such as
//
//	//corpus:want h2c GET /rooms/7 200: 2 GET /rooms/{id} + edge
func readWants(t *testing.T, name string) []want {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		return nil // a file or package that is no program
	}
	defer file.Close()
	var wants []want
	for sc := bufio.NewScanner(file); sc.Scan(); {
		line, ok := strings.CutPrefix(sc.Text(), "//corpus:want ")
		if !ok {
			continue
		}
		request, counts, _ := strings.Cut(line, ": ")
		fields := strings.Fields(request)
		if len(fields) == 3 {
			fields = append([]string{"http"}, fields...)
		}
		if len(fields) != 4 {
			t.Fatalf("%s: bad line %q", name, line)
		}
		w := want{fields[0], fields[1], fields[2], fields[3], map[string]int64{}}
		for route := range strings.SplitSeq(counts, " + ") {
			times := int64(1)
			if number, rest, ok := strings.Cut(route, " "); ok {
				if n, err := strconv.ParseInt(number, 10, 64); err == nil {
					times, route = n, rest
				}
			}
			if route != "-" {
				w.counts[route] += times
			}
		}
		wants = append(wants, w)
	}
	return wants
}

func testProgram(t *testing.T, binary, name string, wants []want) {
	p := startProgram(t, binary, name)
	expected := map[string]int64{}
	for _, w := range wants {
		client := clientFor(w.protocol)
		for range repeat {
			if err := p.send(t.Context(), client, w); err != nil {
				t.Errorf("%s %s: %v\n%s", w.method, w.path, err, p.output())
			}
		}
		client.CloseIdleConnections()
		for name, n := range w.counts {
			expected[name] += n * repeat
		}
	}
	var got map[string]int64
	// A request that is over for the client may not be for the server.
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if got = p.counted(); cmp.Equal(expected, got) {
			return
		}
	}
	t.Errorf("counted (-want +got):\n%s%s", cmp.Diff(expected, got), p.output())
}

// counted returns the program's counters that are not zero.
func (p *program) counted() map[string]int64 {
	counts := map[string]int64{}
	for _, c := range p.page.Counts() {
		name := c.Name
		switch {
		case c.Value == 0:
			continue
		case c.Kind == string(page.Mark):
			name = "point:" + name
		case c.Kind == string(page.Edge) && name == p.addr:
			name = "edge"
		case c.Kind == string(page.Edge):
			name = "edge " + name
		}
		counts[name] += c.Value
	}
	return counts
}

// program is an instrumented program that runs.
type program struct {
	binary, addr, log string
	env               []string
	page              *page.Page
}

// startProgram starts a program with a page as a poker makes it.
func startProgram(t *testing.T, binary string, args ...string) *program {
	t.Helper()
	dir := t.TempDir()
	pg, notify, err := page.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { notify.Close() })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	p := &program{binary, l.Addr().String(), filepath.Join(dir, "log"), append(os.Environ(), page.Env+"="+dir, "TMPDIR="+dir), pg}
	log, err := os.Create(p.log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	cmd := exec.Command(binary, append(args, p.addr)...)
	cmd.Stdout, cmd.Stderr, cmd.Env = log, log, p.env
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if conn, err := net.Dial("tcp", p.addr); err == nil {
			conn.Close()
			return p
		}
		if time.Now().After(deadline) {
			t.Fatalf("the program does not listen\n%s", p.output())
		}
	}
}

func (p *program) output() string {
	text, _ := os.ReadFile(p.log)
	return string(text)
}

func clientFor(protocol string) *http.Client {
	var protocols http.Protocols
	transport := &http.Transport{Protocols: &protocols, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	switch protocol {
	case "h2":
		protocols.SetHTTP2(true)
	case "h2c":
		protocols.SetUnencryptedHTTP2(true)
	default:
		protocols.SetHTTP1(true)
	}
	return &http.Client{Transport: transport}
}

// send sends a request in its own way and checks the answer.
func (p *program) send(ctx context.Context, client *http.Client, w want) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	scheme := "http"
	switch w.protocol {
	case "grpc", "ws": // the corpus has such clients, which count their calls
		cmd := exec.CommandContext(ctx, p.binary, w.protocol, p.addr)
		cmd.Env = p.env
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	case "tls", "h2":
		scheme = "https"
	}
	req, err := http.NewRequestWithContext(ctx, w.method, scheme+"://"+p.addr+w.path, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if w.status == "broken" {
		if err == nil {
			return errors.New("the connection is not broken")
		}
		return nil
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if w.protocol == "cancel" {
		cancel()
		return nil
	}
	body, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case strconv.Itoa(resp.StatusCode) != w.status:
		return fmt.Errorf("status %d, want %s: %s", resp.StatusCode, w.status, body)
	case w.protocol == "h2" && resp.ProtoMajor != 2:
		return fmt.Errorf("answered by %s", resp.Proto)
	case w.protocol == "stream" && (resp.Trailer.Get("Sum") != "1" || string(body) != "first\n"):
		return fmt.Errorf("body %q, trailer %v", body, resp.Trailer)
	}
	return nil
}
