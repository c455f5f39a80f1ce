//go:build !unix

package local

import (
	"net/http"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/store"
)

// There are no pokers here.

func measured(_ *runtime.App, next http.Handler) http.Handler { return next }

func measuredCalls(next atomic.Elsewhere) atomic.Elsewhere { return next }

func measuredStore(next store.Engine) store.Engine { return next }
