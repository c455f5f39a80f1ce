package entry

import (
	"context"
	"fmt"
	"io"
	"os/signal"

	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"github.com/onefold/onefold/instrument/gauge"
)

// measuring is poker as the process that keeps the gauge of a machine.
type measuring struct{ file string }

func (m *measuring) flags(f *pflag.FlagSet) {
	f.StringVar(&m.file, gauge.Flag, "", "")
	hide(f, gauge.Flag)
}

// run measures until it is told to end.
func (m *measuring) run(stdout io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGTERM, unix.SIGINT)
	defer stop()
	return gauge.Measure(ctx, m.file, func() { fmt.Fprintln(stdout, gauge.Ready) })
}
