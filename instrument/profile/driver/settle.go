package driver

import (
	"context"
	"slices"
	"time"

	"github.com/onefold/onefold/instrument/load"
	"github.com/onefold/onefold/instrument/profile"
)

// settling is how long a system has to settle under a new setting before it is measured.
type settling struct {
	least   time.Duration
	answers int64
}

const (
	// settleAnswers is how many answers each client waits for where nothing has to drain,
	// and on top of those while something does.
	settleAnswers = 3
	// longestSettle is how long a system may take to settle. One that takes longer is so near
	// to a tie that the old queue makes little difference.
	longestSettle = 10 * time.Second
	// tie is the lead of a bottleneck over another service that makes no difference.
	tie = 0.01
)

// settling returns how long the system takes to settle under a setting, and remembers
// that as the setting that it is under.
//
// The clients stand in the queue of the bottleneck. When that is another service
// now, the old queue has to drain, and meanwhile there are more answers than the system
// can go on giving. By the capacity model the old bottleneck could give X_o, the
// new one gives X_n. Of the requests behind the queue only a share goes through
// the service that is visited less, r times a request, so the queue of C clients shrinks by
// r·(X_o-X_n) a second, while X_n answers come: C/(r·(X_o/X_n-1)) in all.
func (r *run) settling(s profile.Setting) settling {
	before := profile.Faster(r.raw.Services, r.setting.Target, r.setting.Fraction)
	now := profile.Faster(r.raw.Services, s.Target, s.Fraction)
	r.setting = s
	each := float64(settleAnswers)
	if old, limit := profile.Bottleneck(before), profile.Bottleneck(now); old != limit {
		o, n := find(now, old), find(now, limit)
		if lead := n.Share()/o.Share() - 1; lead > tie {
			each += 1 / (min(1, o.Ratio, n.Ratio) * lead)
		}
	}
	return settling{r.opts.Settle, int64(each * float64(r.raw.Clients))}
}

// find returns the service of that name, which is there.
func find(services []profile.Service, name string) profile.Service {
	return services[slices.IndexFunc(services, func(s profile.Service) bool { return s.Name == name })]
}

// wait waits until the system has settled.
func (s settling) wait(ctx context.Context, runner *load.Runner) error {
	start, until := time.Now(), runner.Completed()+s.answers
	if err := pause(ctx, s.least); err != nil {
		return err
	}
	for runner.Completed() < until && time.Since(start) < longestSettle {
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}
