package workflow_test

import (
	"context"
	"testing"
	"time"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/workflow"
)

// neighbour performs all calls of the ledger in a process of its own.
type neighbour struct{ runner *atomic.Runner }

func (n neighbour) Hosts(service string) bool       { return service == "Ledger" }
func (n neighbour) Touches(string, string) []string { return []string{"Ledger"} }
func (n neighbour) Call(ctx context.Context, c *atomic.Call) (*atomic.Part, error) {
	return n.runner.Perform(ctx, c, func(ctx context.Context, tx *atomic.Tx) ([]byte, error) {
		return nil, bindLedger(tx).NoteLater(ctx, string(c.Args))
	})
}

// A message that a part in another process sends is delivered by the process that commits it,
// without waiting until somebody looks around.
func TestMessageOfAnotherProcess(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.opts.Shared, s.opts.Poll = true, time.Hour
		other, _ := s.process(s.inner)
		s.runner = atomic.NewRunner(s.sim, atomic.Options{Elsewhere: neighbour{other}})
		var err error
		if s.engine, err = workflow.New(s.runner, shopApp(s.out).Workflows(), s.opts); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		s.stop = cancel
		engine := s.engine
		s.loops.Go(func() { engine.Loop(ctx) })
		time.Sleep(time.Minute) // it has looked around
		reply, err := s.runner.Run(ctx, atomic.Request{ID: atomicID(time.Now(), 1), Method: "test"}, func(ctx context.Context, tx *atomic.Tx) ([]byte, error) {
			return tx.Call(ctx, ledgerKey, "NoteLater", []byte("pen"))
		})
		if err != nil || reply.Err != nil {
			t.Fatal(err, reply.Err)
		}
		time.Sleep(time.Minute)
		s.expect("lines", []string{"pen"}, s.lines())
	})
}
