package local

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       "empty",
		"name: x":                                "no services",
		"names: x":                               "names not found",
		"services: [{command: [x], address: a}]": "service 1 has no name",
		"services: [{name: a, command: [x]}]":    "neither an address",
		"services: [{name: a, command: [x], address: y, control: [\"unix:z\"]}]":       "has a command and a control channel",
		"services: [{name: a}, {name: a}]":                                             "two services a",
		"services: [{name: a, cores: -1}]":                                             "negative",
		"services: [{name: a+b}]":                                                      "a + joins the names",
		"services: [{name: \"a:b\"}]":                                                  "a : is before a route",
		"services: [{name: a}]\nmix: m.yaml\nload: {target: http://x}":                 "either load or mix",
		"services: [{name: a, command: [x], address: y, time: 2ms, cores: 1.5}]":       "",
		"services: [{name: a, control: [\"tcp:127.0.0.1:1\"], token: $T, address: y}]": "",
	} {
		_, err := parse(strings.NewReader(text))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestReadConfig(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"shop.yaml": "services: [{name: a, control: [\"unix:/a\", \"unix:/b\"], token: $SHOP_TOKEN, address: \"127.0.0.1:1\"}, {name: db}]\nmix: mix.yaml\n",
		"mix.yaml":  "target: http://127.0.0.1:1\nrequests: [{path: /}]\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("SHOP_TOKEN", "secret")
	c, err := ReadConfig(filepath.Join(dir, "shop.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	mix, err := c.Requests()
	if err != nil || c.Name != "shop" || mix.Requests[0].Path != "/" {
		t.Errorf("%+v, %+v, %v", c, mix, err)
	}
	sys, err := Start(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer sys.Close()
	services := sys.Services()
	if r := services[0].Replicas; len(r) != 2 || r[1].Control != "unix:/b" || r[1].Token != "secret" || len(services[1].Replicas) != 0 {
		t.Errorf("services %+v", services)
	}
}

// TestStartFails: what went wrong is said with the service's own words, and nothing
// stays.
func TestStartFails(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	// A poker that only runs the command.
	poker := []string{"sh", "-c", `while [ "$1" != -- ]; do shift; done; shift; exec "$@"`, "sh"}
	for want, c := range map[string]*Config{
		"no such pancake":           {Services: []Service{{Name: "a", Command: []string{"sh", "-c", "echo no such pancake; exit 3"}, Address: "127.0.0.1:1"}}},
		"build: exit 4":             {Build: []string{"exit 4"}},
		"ended before it was ready": {Services: []Service{{Name: "a", Command: []string{"true"}, Ready: "http://127.0.0.1:1/"}}},
	} {
		if _, err := Start(t.Context(), c, poker); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if entries, _ := os.ReadDir(os.Getenv("TMPDIR")); len(entries) != 0 {
		t.Errorf("%v stays", entries)
	}
}
