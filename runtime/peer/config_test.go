package peer_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/runtime/peer"
)

const goodKey = "0123456789abcdef"

func environment(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var travel = []string{"Flight", "Frontend", "Hotel"}

func TestFromEnv(t *testing.T) {
	c, err := peer.FromEnv(environment(map[string]string{
		"ONEFOLD_SERVICES": "Hotel, Frontend",
		"ONEFOLD_PEERS":    "Flight=http://10.0.0.7:7070,Flight=unix:///run/f.sock",
		"ONEFOLD_INTERNAL": "127.0.0.1:0",
		"ONEFOLD_STORE":    "tcp://storage:7071",
		"ONEFOLD_KEYS":     write(t, "keys", goodKey+"\n"),
	}), travel)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Frontend", "Hotel"}, c.Services); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
	if c.Hosts("Flight") || !c.Hosts("Hotel") {
		t.Errorf("hosts Flight %t, Hotel %t", c.Hosts("Flight"), c.Hosts("Hotel"))
	}
	if got := c.Internal.String(); got != "127.0.0.1:0" {
		t.Errorf("internal address %s", got)
	}
	all, err := peer.FromEnv(environment(nil), travel)
	if err != nil || !all.Hosts("Flight") {
		t.Errorf("without an environment: hosts Flight %t, %v", all.Hosts("Flight"), err)
	}
}

func TestFromEnvMistakes(t *testing.T) {
	for _, tt := range []struct {
		name string
		vars map[string]string
		want string
	}{
		{"unknown service", map[string]string{"ONEFOLD_SERVICES": "Hotels"}, `there is no service "Hotels": the application has Flight, Frontend, Hotel`},
		{"no address", map[string]string{"ONEFOLD_PEERS": "Hotel"}, `"Hotel": want Service=address`},
		{"scheme", map[string]string{"ONEFOLD_PEERS": "Hotel=ftp://a"}, "want http://host:port"},
		{"path", map[string]string{"ONEFOLD_PEERS": "Hotel=http://a/b"}, "want http://host:port"},
		{"internal", map[string]string{"ONEFOLD_INTERNAL": "here"}, "want host:port or unix:///path"},
		{"no keys", map[string]string{"ONEFOLD_INTERNAL": ":7070"}, "need ONEFOLD_KEYS or ONEFOLD_TLS"},
		{"missing file", map[string]string{"ONEFOLD_KEYS": "/nowhere/keys"}, "no such file"},
		{"short key", map[string]string{"ONEFOLD_KEYS": write(t, "keys", "abc\n")}, "key 1 has 3 bytes; want at least 16"},
		{"empty file", map[string]string{"ONEFOLD_KEYS": write(t, "keys", "\n")}, "no keys; want one a line"},
		{"a key for nothing", map[string]string{"ONEFOLD_KEYS": folder(t, map[string]string{"Frontdesk.Hostel": goodKey})}, "Frontdesk.Hostel is for nothing: want files Caller.Callee"},
		{"no certificates", map[string]string{"ONEFOLD_TLS": t.TempDir()}, "tls.crt: no such file"},
	} {
		_, err := peer.FromEnv(environment(tt.vars), travel)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q in it", tt.name, err, tt.want)
		}
	}
}

func TestFinds(t *testing.T) {
	c, err := peer.FromEnv(environment(map[string]string{"ONEFOLD_SERVICES": "Hotel", "ONEFOLD_PEERS": "Flight=http://a:1"}), travel)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Finds("Hotel", []string{"Flight", "Hotel"}); err != nil {
		t.Errorf("one hosted, one elsewhere: %v", err)
	}
	if err := c.Finds("Hotel", travel); err == nil || !strings.Contains(err.Error(), "service Hotel calls Frontend, which is neither in ONEFOLD_SERVICES nor in ONEFOLD_PEERS") {
		t.Errorf("one that is nowhere: %v", err)
	}
}

// folder writes files of keys.
func folder(t *testing.T, keys map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, key := range keys {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(key+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// With a folder of keys, whoever has a key may call what it is for, and nothing else.
func TestKeysFollowCalls(t *testing.T) {
	const other, store = "fedcba9876543210", "0123456789fedcba"
	caller, err := peer.OpenKeys(folder(t, map[string]string{"Frontend.Hotel": goodKey, "Frontend.Flight": other, "store": store}))
	if err != nil {
		t.Fatal(err)
	}
	shows := []string{caller.Show([]string{"Frontend"}, "Hotel"), caller.Show([]string{"Frontend"}, "Flight"), caller.Show([]string{"Flight"}, "Hotel"), caller.ShowStore()}
	if diff := cmp.Diff([]string{goodKey, other, "", store}, shows); diff != "" {
		t.Errorf("shown to Hotel, to Flight, by Flight, to the store (-want +got):\n%s", diff)
	}
	hotel, err := peer.OpenKeys(folder(t, map[string]string{"Frontend.Hotel": goodKey, "Hotel.Flight": other, "store": store}))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]bool{goodKey: true, other: false, store: false, "": false} {
		if got := hotel.Accept("Hotel", key); got != want {
			t.Errorf("Hotel accepts %q: %t, want %t", key, got, want)
		}
	}
	if hotel.Accept("Flight", goodKey) || hotel.AcceptStore(goodKey) || !hotel.AcceptStore(store) {
		t.Error("a key is accepted for something else than it is for")
	}
	for services, want := range map[string]string{"Hotel": "", "Frontend": "no file Frontend.Hotel with the key that Frontend shows to Hotel"} {
		c, err := peer.FromEnv(environment(map[string]string{
			"ONEFOLD_SERVICES": services, "ONEFOLD_PEERS": "Flight=http://a:1,Hotel=http://b:1", "ONEFOLD_KEYS": folder(t, map[string]string{"Hotel.Flight": goodKey}),
		}), travel)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Finds(services, []string{"Flight", "Hotel"}); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("calls of %s: %v, want %q", services, err, want)
		}
	}
}

func TestKeysRotate(t *testing.T) {
	const next = "fedcba9876543210"
	name := write(t, "keys", goodKey+"\n")
	keys, err := peer.OpenKeys(name)
	if err != nil {
		t.Fatal(err)
	}
	if keys.Show(travel, "Hotel") != goodKey || !keys.Accept("Hotel", goodKey) || keys.Accept("Hotel", next) || keys.Accept("Hotel", "") {
		t.Error("the first key is not the one that counts")
	}
	if err := os.WriteFile(name, []byte(next+"\n"+goodKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); keys.Show(travel, "Hotel") != next; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the file was not read again")
		}
	}
	if !keys.Accept("Hotel", goodKey) || !keys.Accept("Hotel", next) {
		t.Error("both keys should count while the file has both")
	}
}
