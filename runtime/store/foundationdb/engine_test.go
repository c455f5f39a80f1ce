//go:build foundationdb

package foundationdb_test

import (
	"testing"

	"github.com/onefold/onefold/runtime/store/storetest"
)

func TestConformance(t *testing.T) { storetest.Run(t, openEmpty) }

func TestAge(t *testing.T) { storetest.RunAged(t, openAged) }
