// Package member keeps the members.
package member

import (
	"context"
	"errors"
	"time"

	"github.com/onefold/onefold"
	"github.com/onefold/onefold/testdata/apps/onboarding/mail"
)

// Errors of members.
var (
	ErrTaken   = errors.New("member: somebody has signed up with this address")
	ErrUnknown = errors.New("member: nobody waits to be confirmed under this address")
)

// How long we wait for a confirmation.
const (
	Grace     = 48 * time.Hour // at first
	Patience  = 24 * time.Hour // then, and after each reminder
	Reminders = 2
)

// The states of a member.
const (
	Waiting   = "waiting"
	Confirmed = "confirmed"
	Expired   = "expired"
)

// Member is one member.
type Member struct {
	State    string `json:"state"`
	Workflow string `json:"workflow"`
	Letters  int    `json:"letters"`
}

// Members is everybody who has signed up.
//
//onefold:service
type Members struct {
	mail    *mail.Outbox
	members map[string]Member // by address
}

// NewMembers returns a Members without any.
func NewMembers(m *mail.Outbox) *Members {
	return &Members{mail: m, members: map[string]Member{}}
}

// Join takes someone from signing up to being a member or being forgotten, and returns
// which. It takes days, in which it is nothing but a few rows in the store.
//
//onefold:workflow
func (m *Members) Join(ctx context.Context, email string) (state string, err error) {
	if err := m.Greet(ctx, email, onefold.ID(ctx)); err != nil {
		return "", err
	}
	time.Sleep(Grace)
	for reminders := 0; ; reminders++ {
		// A confirmation that came while we slept has waited for us.
		_, ok, err := onefold.Await[string](ctx, "confirmed", Patience)
		switch {
		case err != nil:
			return "", err
		case ok:
			return Confirmed, m.Close(ctx, email, Confirmed)
		case reminders == Reminders:
			return Expired, m.Close(ctx, email, Expired)
		}
		if err := m.Write(ctx, email, "please confirm that you want to be a member"); err != nil {
			return "", err
		}
	}
}

// Greet signs someone up.
func (m *Members) Greet(ctx context.Context, email, workflow string) error {
	if member, ok := m.members[email]; ok && member.State != Expired {
		return ErrTaken
	}
	m.members[email] = Member{State: Waiting, Workflow: workflow}
	return m.Write(ctx, email, "welcome")
}

// Write writes to someone who has signed up.
func (m *Members) Write(ctx context.Context, email, text string) error {
	member := m.members[email]
	member.Letters++
	m.members[email] = member
	onefold.Go(ctx, func(ctx context.Context) error { return m.mail.Send(ctx, email, text) })
	return nil
}

// Confirm is what the link in the letters leads to.
func (m *Members) Confirm(ctx context.Context, email string) error {
	member, ok := m.members[email]
	if !ok || member.State != Waiting {
		return ErrUnknown
	}
	return onefold.Signal(ctx, member.Workflow, "confirmed", email)
}

// Close ends the waiting.
func (m *Members) Close(ctx context.Context, email, state string) error {
	member := m.members[email]
	member.State = state
	m.members[email] = member
	return nil
}

// Member returns a member, or ErrUnknown.
func (m *Members) Member(ctx context.Context, email string) (Member, error) {
	member, ok := m.members[email]
	if !ok {
		return Member{}, ErrUnknown
	}
	return member, nil
}
