package memory_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/memory"
	"github.com/onefold/onefold/runtime/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Engine { return memory.New() })
}

func TestAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		storetest.RunAged(t, func(*testing.T) (store.Engine, func(time.Duration)) { return memory.New(), time.Sleep })
	})
}
