package local_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/onefold/onefold/runtime/local"
	"github.com/onefold/onefold/runtime/local/localtest"
	fulfilment "github.com/onefold/onefold/testdata/apps/fulfilment/gen"
	"github.com/onefold/onefold/testdata/apps/travel/gen"
)

// asServer makes the test binary the generated main of an application: travel, fulfilment,
// orders, or orders-changed, whose code does not fit histories of orders.
const asServer = "ONEFOLD_TEST_AS_SERVER"

func TestMain(m *testing.M) {
	switch os.Getenv(asServer) {
	case "travel":
		os.Exit(local.Main(gen.App(), os.Args[1:]))
	case "fulfilment":
		os.Exit(local.Main(fulfilment.App(), os.Args[1:]))
	case "orders":
		os.Exit(local.Main(new(localtest.Orders).App(), os.Args[1:]))
	case "orders-changed":
		os.Exit(local.Main((&localtest.Orders{Changed: true}).App(), os.Args[1:]))
	}
	os.Exit(m.Run())
}

func command(args ...string) *exec.Cmd { return commandOf("travel", args...) }

func commandOf(app string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asServer+"="+app)
	return cmd
}

// process is a running server.
type process struct {
	cmd    *exec.Cmd
	url    string
	banner string // what it printed up to the request to try
	stderr *bytes.Buffer
}

// start runs the server of an application until it serves; an error says that it ended before.
func start(app string, args ...string) (*process, error) {
	p := &process{cmd: commandOf(app, args...), stderr: new(bytes.Buffer)}
	p.cmd.Stderr = p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		p.banner += lines.Text() + "\n"
		if strings.Contains(lines.Text(), "curl ") {
			p.url = regexp.MustCompile(`http://[^/, ]+`).FindString(p.banner)
			go io.Copy(io.Discard, stdout)
			return p, nil
		}
	}
	return nil, fmt.Errorf("%w: %s", p.cmd.Wait(), p.stderr)
}

func mustStart(t *testing.T, app string, args ...string) *process {
	t.Helper()
	p, err := start(app, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.cmd.Process.Kill(); p.cmd.Wait() })
	return p
}

// post sends a JSON body, with headers in pairs, and returns the status and the body.
func post(client *http.Client, url, body, key string, headers ...string) (status int, reply string, err error) {
	req, err := http.NewRequest("POST", url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, strings.TrimSpace(string(b)), err
}

func TestStartAndStop(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	p := mustStart(t, "travel", "--listen", "127.0.0.1:0", "--data", data)
	for _, want := range []string{
		"travel serves at http://127.0.0.1:",
		"state in " + data,
		"POST /Frontend/Book      atomic     user, hotelID, flightID",
		"POST /Hotel/Room         read-only  hotelID",
		"GET /openapi.json",
	} {
		if !strings.Contains(p.banner, want) {
			t.Errorf("the start does not print %q:\n%s", want, p.banner)
		}
	}

	try := regexp.MustCompile(`-d '(.*)' (http:\S+)`).FindStringSubmatch(p.banner)
	if try == nil {
		t.Fatalf("no request to try:\n%s", p.banner)
	}
	if status, reply, err := post(http.DefaultClient, try[2], try[1], ""); err != nil || status != 200 {
		t.Errorf("the request to try, %s, gives %d %s, %v", try[0], status, reply, err)
	}

	if out, err := command("--listen", "127.0.0.1:0", "--data", data).CombinedOutput(); !exitedWith(err, 1) || !strings.Contains(string(out), "in use by") {
		t.Errorf("a second server on the folder: %v: %s", err, out)
	}
	address := strings.TrimPrefix(p.url, "http://")
	if out, err := command("--listen", address, "--data", t.TempDir()).CombinedOutput(); !exitedWith(err, 1) || !strings.Contains(string(out), "address "+address+" is in use") {
		t.Errorf("a second server at the address: %v: %s", err, out)
	}

	p.cmd.Process.Signal(syscall.SIGTERM)
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("stopped by SIGTERM: %v: %s", err, p.stderr)
	}
	if p.stderr.Len() > 0 {
		t.Errorf("standard error: %s", p.stderr)
	}
}

func exitedWith(err error, code int) bool {
	exit, ok := err.(*exec.ExitError)
	return ok && exit.ExitCode() == code
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	p := mustStart(t, "travel", "--listen", "127.0.0.1:0", "--data", t.TempDir()+"/data", "--drain", "1h")
	// A request whose body never comes keeps the server from stopping.
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST /Hotel/Total HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("the request did not begin: %q, %v", line, err)
	}
	p.cmd.Process.Signal(os.Interrupt)
	for { // until the first signal has closed the listener
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		if err != nil {
			break
		}
		conn.Close()
	}
	p.cmd.Process.Signal(os.Interrupt)
	if err := p.cmd.Wait(); !exitedWith(err, 1) {
		t.Errorf("after the second signal: %v, want exit 1", err)
	}
}

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--help"}, 0, "--listen address"},
		{[]string{"--nonsense"}, 2, "unknown flag: --nonsense"},
		{[]string{"extra"}, 2, `unexpected argument "extra"`},
		{[]string{"--timeout", "0s"}, 2, "--timeout must be above zero"},
		{[]string{"--max-body", "-1"}, 2, "--max-body must be above zero"},
		{[]string{"--log", "xml"}, 2, `--log is "xml"; want text or json`},
		{[]string{"--data", os.Args[0]}, 1, os.Args[0]},
		{[]string{"--listen", "nowhere"}, 1, "listen"},
	} {
		out, err := command(append([]string{"--listen", "127.0.0.1:0"}, test.args...)...).CombinedOutput()
		if code := 0; err != nil {
			if !exitedWith(err, test.code) {
				t.Errorf("%v: %v, want exit %d", test.args, err, test.code)
			}
		} else if code != test.code {
			t.Errorf("%v: exit 0, want %d", test.args, test.code)
		}
		if !strings.Contains(string(out), test.want) {
			t.Errorf("%v prints %s, want %q in it", test.args, out, test.want)
		}
	}
}
