package byhand

import (
	"fmt"
	"strconv"

	"github.com/onefold/onefold/runtime/codec"
)

// incrementBoth is Tree.Increment of the counter application: one transaction in two services.
func incrementBoth(t *tx, in *codec.Args) ([]byte, error) {
	name := codec.Arg(in, "key", codec.String)
	if err := in.Err(); err != nil {
		return nil, err
	}
	var left, right []byte
	err := t.both(
		func(t *tx) (err error) { left, err = t.call("Left", "Increment", name); return err },
		func(t *tx) (err error) { right, err = t.call("Right", "Increment", name); return err },
	)
	return fmt.Appendf(nil, `{"left":%s,"right":%s}`, left, right), err
}

func incrementOne(service string) func(*tx, []string) ([]byte, error) {
	return func(t *tx, args []string) ([]byte, error) {
		at := key(service, args[0])
		n, _, err := load(t, at, codec.Int)
		if err != nil {
			return nil, err
		}
		return strconv.AppendInt(nil, int64(n), 10), save(t, at, codec.Int, n+1)
	}
}
