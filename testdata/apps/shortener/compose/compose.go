// Package compose writes posts whose links are short.
package compose

import (
	"context"
	"strings"

	"github.com/onefold/onefold/testdata/apps/shortener/shorten"
)

// Post is a text with its links.
type Post struct {
	Author string         `json:"author"`
	Text   string         `json:"text"`
	Links  []shorten.Link `json:"links"`
}

// Composer writes posts.
//
//onefold:service
type Composer struct {
	shortener *shorten.Shortener
	posts     []Post
}

// NewComposer returns a Composer that has written nothing.
func NewComposer(s *shorten.Shortener) *Composer {
	return &Composer{shortener: s}
}

// Compose stores a post with every link in it shortened, and returns its number.
func (c *Composer) Compose(ctx context.Context, author, text string) (int, error) {
	words := strings.Fields(text)
	var urls []string
	for _, word := range words {
		if isLink(word) {
			urls = append(urls, word)
		}
	}
	links, err := c.shortener.ShortenAll(ctx, urls)
	if err != nil {
		return 0, err
	}
	next := 0
	for i, word := range words {
		if isLink(word) {
			words[i] = links[next].Short
			next++
		}
	}
	c.posts = append(c.posts, Post{Author: author, Text: strings.Join(words, " "), Links: links})
	return len(c.posts), nil
}

// Post returns a post by its number; ok reports whether there is one.
func (c *Composer) Post(ctx context.Context, number int) (post Post, ok bool, err error) {
	if number < 1 || number > len(c.posts) {
		return Post{}, false, nil
	}
	return c.posts[number-1], true, nil
}

// Latest returns up to n posts, the newest first.
func (c *Composer) Latest(ctx context.Context, n int) ([]Post, error) {
	var latest []Post
	for i := len(c.posts) - 1; i >= 0 && len(latest) < n; i-- {
		latest = append(latest, c.posts[i])
	}
	return latest, nil
}

// isLink reports whether a word is an address.
func isLink(word string) bool {
	return strings.HasPrefix(word, "http://") || strings.HasPrefix(word, "https://")
}
