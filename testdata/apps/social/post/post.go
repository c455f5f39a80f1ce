// Package post stores what users write.
package post

import (
	"context"
	"errors"

	"github.com/onefold/onefold/testdata/apps/social/user"
)

// ErrUnknown is returned for a post that does not exist.
var ErrUnknown = errors.New("post: unknown post")

// An ID identifies a post. Later posts have greater ids.
type ID uint64

// Post is something a user wrote.
type Post struct {
	ID     ID      `json:"id"`
	Author user.ID `json:"author"`
	Text   string  `json:"text"`
	Likes  int     `json:"likes"`
}

// Posts stores posts.
//
//onefold:service
type Posts struct {
	posts map[ID]*Post
	likes map[ID]map[user.ID]bool // who likes a post
	last  ID
}

// NewPosts returns a store without posts.
func NewPosts() *Posts {
	return &Posts{posts: map[ID]*Post{}, likes: map[ID]map[user.ID]bool{}}
}

// Store keeps a new post and returns its id.
func (p *Posts) Store(ctx context.Context, author user.ID, text string) (ID, error) {
	p.last++
	p.posts[p.last] = &Post{ID: p.last, Author: author, Text: text}
	return p.last, nil
}

// Read returns the posts with the given ids, in that order; unknown ones are left out.
func (p *Posts) Read(ctx context.Context, ids []ID) ([]Post, error) {
	posts := make([]Post, 0, len(ids))
	for _, id := range ids {
		if post := p.posts[id]; post != nil {
			posts = append(posts, *post)
		}
	}
	return posts, nil
}

// Like notes that a user likes a post, once each.
func (p *Posts) Like(ctx context.Context, id ID, who user.ID) error {
	post, ok := p.posts[id]
	if !ok {
		return ErrUnknown
	}
	if p.likes[id] == nil {
		p.likes[id] = map[user.ID]bool{}
	}
	if !p.likes[id][who] {
		p.likes[id][who] = true
		post.Likes++
	}
	return nil
}

// Remove deletes a post. Only its author may.
func (p *Posts) Remove(ctx context.Context, id ID, author user.ID) (bool, error) {
	post, ok := p.posts[id]
	if !ok || post.Author != author {
		return false, nil
	}
	delete(p.posts, id)
	delete(p.likes, id)
	return true, nil
}
