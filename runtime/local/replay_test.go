package local_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onefold/onefold/runtime/local"
	"github.com/onefold/onefold/runtime/local/localtest"
)

// exported returns the history of a run of Orders.Fulfil that was paid for, or waits for that.
func exported(t *testing.T, paid bool) []byte {
	t.Helper()
	address := new(localtest.Orders).Serve(t, local.Options{})
	send := func(method, path, body string) *http.Response {
		req, err := http.NewRequest(method, address+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Prefer", "respond-async")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		return resp
	}
	id := send("POST", "/Orders/Fulfil", `{"item":"lamp"}`).Header.Get("Onefold-Workflow")
	const api = "/_onefold/api/workflows/"
	status := `"status":"suspended"`
	if paid {
		send("POST", api+id+"/signals/paid", `"ann"`)
		status = `"status":"completed"`
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		history, err := io.ReadAll(send("GET", api+id+"/history", "").Body)
		if err != nil {
			t.Fatal(err)
		}
		if before, _, _ := bytes.Cut(history, []byte(`"steps"`)); bytes.Contains(before, []byte(status)) {
			return history
		}
		if time.Now().After(deadline) {
			t.Fatalf("the workflow does not come to be %s: %s", status, history)
		}
	}
}

func TestReplay(t *testing.T) {
	dir := t.TempDir()
	for name, data := range map[string][]byte{
		"good/paid.json":    exported(t, true),
		"good/several.json": append(exported(t, false), exported(t, true)...),
		"good/notes.txt":    []byte("no history"),
		"bad/text.json":     []byte("no history"),
		"other/other.json":  []byte(`{"id":"1","method":"Other.Do","status":"completed","argsCBOR":"oA==","steps":[]}`),
		"empty/notes.txt":   nil,
	} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name, app string
		args      []string
		code      int
		want      []string // all that is printed; none is silence
	}{
		{"same code", "orders", []string{"good"}, 0, nil},
		{"one file", "orders", []string{"good/paid.json"}, 0, nil},
		{"changed code", "orders-changed", []string{"good/paid.json"}, 1, []string{
			"good/paid.json: workflow ", "/4 of Orders.Ship: step 1 is recorded as \"effect ship\", but the code now does \"effect insure\" there",
		}},
		{"as JSON", "orders-changed", []string{"--json", "good/paid.json"}, 1, []string{
			`"method": "Orders.Fulfil",` + "\n    \"ok\": true", `"step": "1"`, `"recorded": "effect ship"`, `"found": "effect insure"`,
		}},
		{"unknown method", "orders", []string{"other"}, 1, []string{"other/other.json: workflow 1 of Other.Do: no such workflow method"}},
		{"no history", "orders", []string{"bad"}, 1, []string{"bad/text.json is no history as onefold inspect history ID --json prints it"}},
		{"no file", "orders", []string{"nowhere"}, 1, []string{"nowhere: no such file"}},
		{"no history in the folder", "orders", []string{"empty"}, 1, []string{"empty holds no .json file"}},
		{"no argument", "orders", nil, 2, []string{"orders replay: no files"}},
		{"help", "orders", []string{"--help"}, 0, []string{"Usage: orders replay"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			cmd := commandOf(test.app, append([]string{"replay"}, test.args...)...)
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			if err != nil && !exitedWith(err, test.code) || err == nil && test.code != 0 {
				t.Errorf("%v, want exit %d", err, test.code)
			}
			for _, want := range test.want {
				if !strings.Contains(string(out), want) {
					t.Errorf("it prints %s, want %q in it", out, want)
				}
			}
			if test.want == nil && len(out) > 0 {
				t.Errorf("it prints %s, want nothing", out)
			}
		})
	}
	cmd := commandOf("orders", "replay", "--json", "good")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var verdicts []struct{ File, Method string }
	if err := json.Unmarshal(out, &verdicts); err != nil || len(verdicts) != 5 { // three runs, two of them with a child
		t.Errorf("%d verdicts, %v, want 5: %s", len(verdicts), err, out)
	}
}
