package backend_test

import (
	"testing"

	"github.com/onefold/onefold/backend"
	"github.com/onefold/onefold/runtime"
)

// TestVersion: this compiler's output is for this runtime.
func TestVersion(t *testing.T) {
	if backend.Version < runtime.MinVersion || backend.Version > runtime.MaxVersion {
		t.Errorf("generated code has version %d; the runtime runs %d to %d", backend.Version, runtime.MinVersion, runtime.MaxVersion)
	}
}
