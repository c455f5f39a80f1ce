package workflow_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/store/sim"
	"github.com/onefold/onefold/runtime/workflow"
)

// scheduled adds a workflow with a schedule.
func (s *stage) scheduled(name, schedule string, body func(sh *Shop, ctx context.Context) error) {
	s.extra = append(s.extra, &workflow.Definition[struct{}, struct{}]{
		Name: "Shop." + name, Code: "1", Schedule: schedule, Args: workflow.Nothing, Result: workflow.Nothing,
		Parse: func(in *codec.Args) (a struct{}) { return a },
		Body: func(ctx context.Context, run *workflow.Run, _ struct{}) (struct{}, error) {
			return struct{}{}, body(bindShop(s.out)(run), ctx)
		},
	})
}

// runs returns the ids of the scheduled runs, as far as they are kept.
func (s *stage) runs() (ids []string) {
	s.t.Helper()
	list, _, err := s.engine.List(background, workflow.Filter{Limit: 1000})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, info := range list {
		_, tick, _ := strings.Cut(info.ID, "@")
		ids = append(ids, tick)
	}
	slices.Sort(ids)
	return ids
}

// Bubbles begin at midnight UTC of 2000-01-01.
func TestEvery(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.scheduled("Tick", "every 6h", func(sh *Shop, ctx context.Context) error { return sh.ledger.Note(ctx, "tick") })
		s.boot()
		time.Sleep(25 * time.Hour)
		synctest.Wait()
		s.expect("runs", []string{
			"2000-01-01T06:00:00Z", "2000-01-01T12:00:00Z", "2000-01-01T18:00:00Z", "2000-01-02T00:00:00Z",
		}, s.runs())
		s.expect("lines", 4, len(s.lines()))
	})
}

// Several processes start each tick once, also if some of them crash.
func TestScheduleOfSeveralProcesses(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.opts.Shared, s.opts.Poll = true, time.Hour
		s.scheduled("Tick", "cron 30 3 * * *", func(sh *Shop, ctx context.Context) error { return sh.ledger.Note(ctx, "tick") })
		for range 3 {
			_, e := s.process(s.inner)
			ctx, cancel := context.WithCancel(background)
			defer e.Close()
			defer cancel()
			s.clients.Go(func() { e.Loop(ctx) })
		}
		s.boot()
		for range 5 {
			time.Sleep(24 * time.Hour)
			s.sim.Reset()
			s.sim.FaultNth(sim.Commit, 0, sim.Fault{Kind: sim.CrashAfter})
			if s.sim.Crashed() {
				s.reboot()
			}
		}
		synctest.Wait()
		s.expect("lines", 5, len(s.lines()))
	})
}

// Ticks that nobody was there for are caught up on once; ticks during a run are left out.
func TestTicksLeftOut(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.scheduled("Slow", "every 1h", func(sh *Shop, ctx context.Context) error {
			sh.run.Sleep(90 * time.Minute)
			return nil
		})
		s.boot()
		time.Sleep(4*time.Hour + 40*time.Minute)
		s.expect("runs", []string{"2000-01-01T01:00:00Z", "2000-01-01T03:00:00Z"}, s.runs())
		s.kill()
		time.Sleep(12 * time.Hour)
		s.boot()
		time.Sleep(time.Minute)
		s.expect("runs after a pause", []string{
			"2000-01-01T01:00:00Z", "2000-01-01T03:00:00Z", "2000-01-01T16:00:00Z",
		}, s.runs())
		time.Sleep(3 * time.Hour)
		s.expect("runs later", []string{
			"2000-01-01T01:00:00Z", "2000-01-01T03:00:00Z", "2000-01-01T16:00:00Z", "2000-01-01T19:00:00Z",
		}, s.runs())
	})
}

// Another schedule in new code takes the place of the old one.
func TestScheduleChange(t *testing.T) {
	inBubble(t, func(s *stage) {
		tick := func(sh *Shop, ctx context.Context) error { return nil }
		s.scheduled("Tick", "every 6h", tick)
		s.boot()
		time.Sleep(7 * time.Hour)
		s.extra = nil
		s.scheduled("Tick", "every 24h", tick)
		s.crash()
		time.Sleep(18 * time.Hour)
		synctest.Wait()
		s.expect("runs", []string{"2000-01-01T06:00:00Z", "2000-01-02T00:00:00Z"}, s.runs())
	})
}

// A bad schedule is refused before anything runs.
func TestBadSchedule(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.bootIdle()
		for _, text := range []string{"every", "every 1ms", "sometimes", "cron", "cron * * * *", "cron 60 * * * *", "cron 0 0 30 2 *", "cron CRON_TZ=Nowhere 0 0 * * *", "cron 5-1 * * * *", "cron */0 * * * *"} {
			s.extra = nil
			s.scheduled("Bad", text, nil)
			_, err := workflow.New(s.runner, shopApp(s.out, s.extra...).Workflows(), s.opts)
			if err == nil {
				t.Errorf("%q is accepted", text)
			}
		}
	})
}
