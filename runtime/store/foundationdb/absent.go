//go:build !foundationdb

package foundationdb

import (
	"context"
	"errors"

	"github.com/onefold/onefold/runtime/store"
)

// Open returns an error: this program was built without FoundationDB.
func Open(context.Context, Options) (store.Engine, error) {
	return nil, errors.New("foundationdb: this program was built without FoundationDB: " +
		"install its C client (libfdb_c 7.3) and build with CGO_ENABLED=1 and -tags foundationdb")
}
