package slowpoke

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onefold/onefold/instrument/precise"
)

// compatWork is the original's variable for processor time that each request burns,
// in microseconds: it makes a service slower by a known time, and so the truth known.
const compatWork = "SLOWPOKE_PROCESSING_MICROS"

// artificial is the work of this process, nil for none.
var artificial = sync.OnceValue(func() *work { return newWork(os.Getenv(compatWork)) })

// work burns processor time.
type work struct {
	each    time.Duration
	surplus atomic.Int64 // ns that requests burned too much, and later ones need not
}

// newWork reads the time as the original does: its whole part counts, and what is no
// number, or a negative one, is none.
func newWork(text string) *work {
	whole, _, _ := strings.Cut(text, ".")
	micros, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || micros <= 0 {
		return nil
	}
	return &work{each: time.Duration(micros) * time.Microsecond}
}

// burn burns the time of one request, of a processor and not of the wall.
func (w *work) burn() {
	w.surplus.Add(precise.Burn(int64(w.each) - w.surplus.Swap(0)))
}
