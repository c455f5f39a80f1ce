package onboarding_test

import (
	"errors"
	"testing"
	"time"

	"github.com/onefold/onefold/onefoldtest"
	"github.com/onefold/onefold/testdata/apps/onboarding/gen"
	"github.com/onefold/onefold/testdata/apps/onboarding/mail"
	"github.com/onefold/onefold/testdata/apps/onboarding/member"
)

func app(t *testing.T) *onefoldtest.App {
	return onefoldtest.New(t, member.NewMembers, mail.NewOutbox)
}

// Somebody who confirms while the workflow still sleeps is a member when it wakes up.
func TestConfirmed(t *testing.T) {
	onefoldtest.Simulate(t, app(t), gen.App(), func(s *onefoldtest.Simulation) {
		ann := s.Start("Members.Join", `{"email":"ann@example.com"}`)
		s.Expect(s.Call("Outbox.Letters", `{}`), `[{"to":"ann@example.com","text":"welcome"}]`)
		s.Skip(24 * time.Hour)
		s.Expect(s.Call("Members.Confirm", `{"email":"ann@example.com"}`), `null`)
		if ann.Ended() {
			s.Errorf("the workflow did not sleep for two days")
		}
		s.Expect(ann.Wait(), `"confirmed"`)
	})
}

// Somebody who never confirms is reminded twice, and forgotten after five days.
func TestExpired(t *testing.T) {
	onefoldtest.Simulate(t, app(t), gen.App(), func(s *onefoldtest.Simulation) {
		begun := time.Now()
		bob := s.Start("Members.Join", `{"email":"bob@example.com"}`)
		s.Expect(bob.Wait(), `"expired"`)
		if d := time.Since(begun).Round(time.Hour); d != 5*24*time.Hour {
			s.Errorf("expired after %s, want 5 days", d)
		}
		s.Expect(s.Call("Members.Member", `{"email":"bob@example.com"}`), `{"state":"expired","workflow":"`+bob.ID()+`","letters":3}`)
	})
}

// One address is for one member, until that has expired.
func TestTaken(t *testing.T) {
	onefoldtest.Simulate(t, app(t), gen.App(), func(s *onefoldtest.Simulation) {
		first := s.Start("Members.Join", `{"email":"ann@example.com"}`)
		if reply := s.Call("Members.Join", `{"email":"ann@example.com"}`); !reply.Is("member.ErrTaken") {
			s.Errorf("second sign-up: %s, want ErrTaken", reply.Detail)
		}
		first.Wait()
		second := s.Start("Members.Join", `{"email":"ann@example.com"}`)
		s.Expect(s.Call("Members.Confirm", `{"email":"ann@example.com"}`), `null`)
		s.Expect(second.Wait(), `"confirmed"`)
		if reply := s.Call("Members.Confirm", `{"email":"ann@example.com"}`); !reply.Is("member.ErrUnknown") {
			s.Errorf("second confirmation: %s, want ErrUnknown", reply.Detail)
		}
	})
}

// A letter that cannot be written ends the onboarding.
func TestNoPaper(t *testing.T) {
	onefoldtest.Simulate(t, app(t), gen.App(), func(s *onefoldtest.Simulation) {
		s.FailStep("Members.Write", errors.New("no more paper"))
		if reply := s.Call("Members.Join", `{"email":"ann@example.com"}`); reply.Detail != "no more paper" {
			s.Errorf("got %q", reply.Detail)
		}
	})
}

// Whatever people do, and however long they wait between it.
func TestRandom(t *testing.T) {
	app := app(t)
	onefoldtest.Simulate(t, app, gen.App(), onefoldtest.RandomScript(app, onefoldtest.Options{Seed: 1}))
}

// Whatever goes wrong; without Runs it would be everything, everywhere.
func TestFaults(t *testing.T) {
	onefoldtest.CrashWorkflows(t, app(t), gen.App(), func(s *onefoldtest.Simulation) {
		s.Expect(s.Call("Members.Join", `{"email":"ann@example.com"}`), `"expired"`)
	}, onefoldtest.Options{Seed: 1, Runs: 30})
}
