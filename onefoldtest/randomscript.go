package onefoldtest

import (
	"cmp"
	"time"
)

// RandomScript returns a script for [Simulate] that makes random requests, lets random times pass,
// and waits for all workflows in the end. It makes opts.Steps requests, by default 30, and the
// same ones for the same opts.Seed. app is the plain side, from which it learns what there is.
func RandomScript(app *App, opts Options) func(*Simulation) {
	r := opts.rand(5)
	work := newWorkload(app, opts)
	type action struct {
		Request
		skip time.Duration
	}
	actions := make([]action, cmp.Or(opts.Steps, 30))
	for i := range actions {
		actions[i].Request = work.request(r)
		if r.IntN(3) == 0 {
			actions[i].skip = time.Duration(r.IntN(50)) * time.Hour
		}
	}
	return func(s *Simulation) {
		var flows []*Flow
		for _, a := range actions {
			if s.side.isFlow(a.Method) {
				flows = append(flows, s.Start(a.Method, a.Args))
			} else {
				s.Call(a.Method, a.Args)
			}
			if a.skip > 0 {
				s.Skip(a.skip)
			}
		}
		for _, f := range flows {
			f.Wait()
		}
	}
}
