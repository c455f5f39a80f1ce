// Package user knows who may write reviews.
package user

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/rand"

	"github.com/onefold/onefold/testdata/apps/media/review"
)

// Errors of the service.
var (
	ErrTaken    = errors.New("user: name is taken")
	ErrUnknown  = errors.New("user: unknown user")
	ErrPassword = errors.New("user: wrong password")
)

// member is what is kept of a user.
type member struct {
	id   review.UserID
	salt []byte
	hash []byte // of salt and password
}

// Users keeps members.
//
//onefold:service
type Users struct {
	members map[string]member // by name
	last    review.UserID
	logins  map[string]int // by session token
}

// NewUsers returns a Users without members.
func NewUsers() *Users {
	return &Users{members: map[string]member{}, logins: map[string]int{}}
}

// Register makes a member and returns its id, or ErrTaken.
func (u *Users) Register(ctx context.Context, name, password string) (review.UserID, error) {
	if _, taken := u.members[name]; taken {
		return 0, ErrTaken
	}
	salt := make([]byte, 8)
	for i := range salt {
		salt[i] = byte(rand.Intn(256))
	}
	u.last++
	u.members[name] = member{id: u.last, salt: salt, hash: digest(salt, password)}
	return u.last, nil
}

// Login checks a password and returns a session token.
func (u *Users) Login(ctx context.Context, name, password string) (string, error) {
	m, ok := u.members[name]
	if !ok {
		return "", ErrUnknown
	}
	if !bytes.Equal(m.hash, digest(m.salt, password)) {
		return "", ErrPassword
	}
	token := hex.EncodeToString(digest(m.salt, name)[:4])
	u.logins[token]++
	return token, nil
}

// Find returns a member's id, or ErrUnknown.
func (u *Users) Find(ctx context.Context, name string) (review.UserID, error) {
	m, ok := u.members[name]
	if !ok {
		return 0, ErrUnknown
	}
	return m.id, nil
}

// digest returns the hash of salt and password.
func digest(salt []byte, password string) []byte {
	h := sha256.New()
	h.Write(salt)
	h.Write([]byte(password))
	return h.Sum(nil)
}
