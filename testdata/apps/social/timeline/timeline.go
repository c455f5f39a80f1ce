// Package timeline keeps what each user has written and what each gets to read.
package timeline

import (
	"context"

	"github.com/onefold/onefold/testdata/apps/social/post"
	"github.com/onefold/onefold/testdata/apps/social/user"
)

// maxHome is how many posts a home timeline keeps.
const maxHome = 5

// Timelines keeps lists of post ids, newest last.
//
//onefold:service
type Timelines struct {
	own  map[user.ID][]post.ID // what a user wrote
	home map[user.ID][]post.ID // what those wrote whom a user follows
}

// NewTimelines returns empty timelines.
func NewTimelines() *Timelines {
	return &Timelines{own: map[user.ID][]post.ID{}, home: map[user.ID][]post.ID{}}
}

// Publish puts a post on its author's timeline and on the home timelines of the readers.
func (t *Timelines) Publish(ctx context.Context, id post.ID, author user.ID, readers []user.ID) error {
	t.own[author] = append(t.own[author], id)
	for _, reader := range readers {
		home := append(t.home[reader], id)
		if len(home) > maxHome {
			home = home[len(home)-maxHome:]
		}
		t.home[reader] = home
	}
	return nil
}

// Own returns what a user wrote.
func (t *Timelines) Own(ctx context.Context, id user.ID) ([]post.ID, error) {
	return t.own[id], nil
}

// Home returns what a user gets to read.
func (t *Timelines) Home(ctx context.Context, id user.ID) ([]post.ID, error) {
	return t.home[id], nil
}
