package runtime_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/runtime"
)

func TestConfig(t *testing.T) {
	type level uint8
	env := map[string]string{
		"A_NAME": "x", "A_DEBUG": "true", "A_LIMIT": "-7", "A_LEVEL": "0x10", "A_RATE": "0.5", "A_WAIT": "3s",
		"A_HIGH": "256", "A_WORD": "many",
	}
	lookup := func(name string) (string, bool) { text, ok := env[name]; return text, ok }
	type config struct {
		Name  string
		Debug bool
		Limit int
		Level level
		Rate  float32
		Wait  time.Duration
		Unset int
	}
	got := config{Unset: 9}
	for _, err := range []error{
		runtime.Config(lookup, "A_NAME", &got.Name),
		runtime.Config(lookup, "A_DEBUG", &got.Debug),
		runtime.Config(lookup, "A_LIMIT", &got.Limit),
		runtime.Config(lookup, "A_LEVEL", &got.Level),
		runtime.Config(lookup, "A_RATE", &got.Rate),
		runtime.Config(lookup, "A_WAIT", &got.Wait),
		runtime.Config(lookup, "A_UNSET", &got.Unset),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	want := config{"x", true, -7, 16, 0.5, 3 * time.Second, 9}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	for name, want := range map[string]string{
		"A_HIGH": `environment variable A_HIGH="256": value out of range`,
		"A_WORD": `environment variable A_WORD="many": invalid syntax`,
	} {
		var l level
		if err := runtime.Config(lookup, name, &l); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
