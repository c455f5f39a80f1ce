//go:build foundationdb && !fdbsim

package foundationdb_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/apple/foundationdb/bindings/go/src/fdb"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/foundationdb"
)

// TestMain refuses to run on a cluster that holds anything: the tests need an
// empty one and leave an empty one.
func TestMain(m *testing.M) {
	if err := checkEmpty(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

var everything = fdb.KeyRange{Begin: fdb.Key(""), End: fdb.Key("\xff")}

func checkEmpty() error {
	db, err := connect()
	if err != nil {
		return err
	}
	found, err := db.ReadTransact(func(tr fdb.ReadTransaction) (any, error) {
		return tr.GetRange(everything, fdb.RangeOptions{Limit: 1}).GetSliceWithError()
	})
	if err != nil {
		return err
	}
	if len(found.([]fdb.KeyValue)) > 0 && os.Getenv("ONEFOLD_TEST_ERASE") != "yes" {
		return fmt.Errorf("the cluster of FDB_CLUSTER_FILE=%q is not empty, and these tests erase it; "+
			"set ONEFOLD_TEST_ERASE=yes if nothing in it is needed", os.Getenv("FDB_CLUSTER_FILE"))
	}
	return nil
}

func connect() (fdb.Database, error) {
	if err := fdb.APIVersion(730); err != nil {
		return fdb.Database{}, err
	}
	return fdb.OpenDatabase("")
}

// erase empties the cluster.
func erase(t *testing.T) {
	t.Helper()
	db, err := connect()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Transact(func(tr fdb.Transaction) (any, error) {
		tr.ClearRange(everything)
		return nil, nil
	}); err != nil {
		t.Fatal(err)
	}
}

// openEmpty opens an engine on an empty store.
func openEmpty(t *testing.T) store.Engine {
	erase(t)
	t.Cleanup(func() { erase(t) })
	e, err := foundationdb.Open(t.Context(), foundationdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// openAged opens an engine on an empty store, whose clock cannot be hurried.
func openAged(t *testing.T) (store.Engine, func(time.Duration)) {
	return openEmpty(t), time.Sleep
}
