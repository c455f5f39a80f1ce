// Package user knows who is a member.
package user

import (
	"context"
	"errors"
)

// Errors of the service.
var (
	ErrTaken   = errors.New("user: name is taken")
	ErrUnknown = errors.New("user: unknown user")
)

// An ID identifies a user.
type ID int64

// Profile is what everybody may see of a user.
type Profile struct {
	ID   ID     `json:"id"`
	Name string `json:"name"`
	Bio  string `json:"bio,omitempty"`
}

// Users keeps the members.
//
//onefold:service
type Users struct {
	profiles map[ID]Profile
	ids      map[string]ID // by name
	last     ID
}

// NewUsers returns a Users service without members.
func NewUsers() *Users {
	return &Users{profiles: map[ID]Profile{}, ids: map[string]ID{}}
}

// Register makes a member and returns its id, or ErrTaken.
func (u *Users) Register(ctx context.Context, name, bio string) (ID, error) {
	if _, taken := u.ids[name]; taken {
		return 0, ErrTaken
	}
	u.last++
	u.ids[name] = u.last
	u.profiles[u.last] = Profile{ID: u.last, Name: name, Bio: bio}
	return u.last, nil
}

// Lookup returns the id behind a name, or ErrUnknown.
func (u *Users) Lookup(ctx context.Context, name string) (ID, error) {
	id, ok := u.ids[name]
	if !ok {
		return 0, ErrUnknown
	}
	return id, nil
}

// Profile returns a user's profile, or ErrUnknown.
func (u *Users) Profile(ctx context.Context, id ID) (Profile, error) {
	p, ok := u.profiles[id]
	if !ok {
		return Profile{}, ErrUnknown
	}
	return p, nil
}

// SetBio changes what a user says about itself.
func (u *Users) SetBio(ctx context.Context, id ID, bio string) error {
	p, ok := u.profiles[id]
	if !ok {
		return ErrUnknown
	}
	p.Bio = bio
	u.profiles[id] = p
	return nil
}
