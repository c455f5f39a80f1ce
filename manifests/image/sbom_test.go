package image

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"
)

// The bill of materials names the modules that a program is made of.
func TestBill(t *testing.T) {
	program := filepath.Join(t.TempDir(), "poker")
	if out, err := exec.Command("go", "build", "-o", program, "github.com/onefold/onefold/cmd/poker").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data, err := billOf(Contents{Application: "travel", Version: "1", Program: program})
	if err != nil {
		t.Fatal(err)
	}
	var d spdxDocument
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, p := range d.Packages {
		found[p.Name] = p.ID
	}
	for _, name := range []string{"travel", "go", "github.com/onefold/onefold", "golang.org/x/sys"} {
		if found[name] == "" {
			t.Errorf("%s is not in the bill of materials: %v", name, found)
		}
	}
	if len(found) != len(d.Packages) || len(d.Relationships) != len(d.Packages) {
		t.Errorf("%d packages, %d of different names, %d relationships", len(d.Packages), len(found), len(d.Relationships))
	}
}
