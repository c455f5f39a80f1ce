package manifests_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/onefold/onefold/compiler"
	"github.com/onefold/onefold/manifests"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const appsDir = "../testdata/apps"

// load returns an application of testdata. Its version is fixed, for what is
// generated changes more often than manifests.
var load = func() func(t *testing.T, name string) manifests.App {
	var mu sync.Mutex
	loaded := map[string]manifests.App{}
	return func(t *testing.T, name string) manifests.App {
		t.Helper()
		mu.Lock()
		defer mu.Unlock()
		app, ok := loaded[name]
		if !ok {
			result, err := compiler.Check(context.Background(), compiler.Options{Dir: filepath.Join(appsDir, name), Patterns: []string{"./..."}})
			if err != nil {
				t.Fatal(err)
			}
			if result.Diagnostics.HasErrors() {
				t.Fatalf("%s does not compile: %v", name, result.Diagnostics.Sorted())
			}
			app = manifests.NewApp(result.Program, result.Name, "0123456789abcdef")
			loaded[name] = app
		}
		return app
	}
}()

func apps(t *testing.T) []string {
	t.Helper()
	if testing.Short() {
		return []string{"shop", "travel"}
	}
	entries, err := os.ReadDir(appsDir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func config(t *testing.T, text string) *manifests.Config {
	t.Helper()
	c, err := manifests.ParseConfig("onefold.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// stream returns files as one, each after its name.
func stream(files []manifests.File) []byte {
	a := &txtar.Archive{}
	for _, f := range files {
		a.Files = append(a.Files, txtar.File{Name: f.Name, Data: f.Data})
	}
	return txtar.Format(a)
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; run go test ./manifests -update and look at it", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// configured are deployments with a configuration, of applications that show it.
var configured = []struct {
	name, app, config string
	target            manifests.Target
}{
	{"travel.embedded", "travel", "store: {kind: embedded, size: 1Gi}\nrequests: {cpu: 2}\n", manifests.Kubernetes},
	{"travel.profile", "travel", "profile: {target: Hotel, delay: 50us}\nstore: {kind: server, address: \"tcp://storage:7071\"}\n", manifests.Knative},
	{"travel.exposed", "travel", `
namespace: trips
registry: registry.example.com/trips
services:
  Hotel:
    expose: true
    replicas: {min: 3}
    throttle: {ratio: 0.1, min: 100m, max: 2}
    traffic: [{revision: travel-hotel-0a1b2c3d, percent: 90, tag: stable}]
`, manifests.Knative},
	{"shop.configured", "shop", `
replicas: {max: 5}
limits: {cpu: 2, memory: 1Gi}
services:
  Catalog:
    concurrency: 20
    timeout: 3s
    env:
      CATALOG_CURRENCY: {secret: currencies, key: main}
`, manifests.Kubernetes},
}

func TestGolden(t *testing.T) {
	for _, name := range apps(t) {
		for _, target := range []manifests.Target{manifests.Knative, manifests.Kubernetes} {
			emit(t, name+"."+string(target), name, "", target)
		}
	}
	for _, c := range configured {
		emit(t, c.name, c.app, c.config, c.target)
	}
}

func emit(t *testing.T, name, app, text string, target manifests.Target) {
	t.Run(name, func(t *testing.T) {
		files, err := manifests.Emit(load(t, app), config(t, text), target)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name+".txtar", stream(files))
		again, err := manifests.Emit(load(t, app), config(t, text), target)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(stream(files), stream(again)) {
			t.Error("the second time the manifests are different")
		}
	})
}

// A revision is named after what is in it.
func TestRevisionNames(t *testing.T) {
	revision := func(text string) string {
		files, err := manifests.Emit(load(t, "travel"), config(t, text), manifests.Knative)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(stream(files))) {
			if name := strings.TrimSpace(line); strings.HasPrefix(name, "name: travel-hotel-") {
				return name
			}
		}
		t.Fatal("no revision of travel-hotel")
		return ""
	}
	if a, b := revision(""), revision("# the same\n"); a != b {
		t.Errorf("the same configuration makes revisions %s and %s", a, b)
	}
	if a, b := revision(""), revision("limits: {memory: 1Gi}"); a == b {
		t.Errorf("another limit makes the same revision %s", a)
	}
	if a, b := revision(""), revision("services: {Flight: {limits: {memory: 1Gi}}}"); a != b {
		t.Errorf("another service's limit makes revision %s of %s", b, a)
	}
}

// TestConfigErrors has one configuration a section, with what is wrong with it.
func TestConfigErrors(t *testing.T) {
	file := filepath.Join("testdata", "errors.txtar")
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	targets := map[string]manifests.Target{".knative": manifests.Knative, ".kubernetes": manifests.Kubernetes}
	for i := 0; i+1 < len(archive.Files); i += 2 {
		in, want := archive.Files[i], &archive.Files[i+1]
		t.Run(in.Name, func(t *testing.T) {
			c, err := manifests.ParseConfig("onefold.yaml", in.Data)
			if err == nil {
				_, err = manifests.Emit(load(t, "shop"), c, targets[filepath.Ext(in.Name)])
			}
			got := "no error\n"
			if err != nil {
				got = err.Error() + "\n"
			}
			if *update {
				want.Data = []byte(got)
			} else if diff := cmp.Diff(string(want.Data), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(archive), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReference checks that the reference is a configuration and leaves out no key.
func TestReference(t *testing.T) {
	c := config(t, manifests.Reference)
	if err := c.Check(load(t, "shop"), manifests.Knative); err != nil {
		t.Error(err)
	}
	var missing []string
	var walk func(reflect.Type)
	walk = func(of reflect.Type) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Map || of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct {
			return
		}
		for i := range of.NumField() {
			name, _, _ := strings.Cut(of.Field(i).Tag.Get("yaml"), ",")
			if name != "" && name != "-" && !strings.Contains(manifests.Reference, name+":") {
				missing = append(missing, name)
			}
			if of.Field(i).Tag.Get("yaml") != "" {
				walk(of.Field(i).Type)
			}
		}
	}
	walk(reflect.TypeFor[manifests.Config]())
	if len(missing) > 0 {
		slices.Sort(missing)
		t.Errorf("the reference does not say what these mean: %v", missing)
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(manifests.Reference))
	f.Add([]byte("services: {Catalog: {traffic: [{}]}}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := manifests.ParseConfig("onefold.yaml", data)
		if err != nil {
			return
		}
		app := manifests.App{Name: "shop", Version: "1", Services: []manifests.AppService{{Name: "Catalog", Config: []string{"CATALOG_CURRENCY"}}}}
		for _, target := range []manifests.Target{manifests.Knative, manifests.Kubernetes} {
			if _, err := manifests.Emit(app, c, target); err != nil && strings.Contains(err.Error(), "refused by Knative") {
				t.Errorf("passes our checks only: %v", err)
			}
		}
	})
}
