// Package text tidies what users write.
package text

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"
)

// ErrLong is returned for a text over the limit.
var ErrLong = errors.New("text: text too long")

// maxRunes is the longest text of a review.
const maxRunes = 256

// Text has no state.
//
//onefold:service
type Text struct{}

// NewText returns the service.
func NewText() *Text { return &Text{} }

// Tidy returns the text with every run of white space made one space, or ErrLong.
func (t *Text) Tidy(ctx context.Context, text string) (string, error) {
	tidy := strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(tidy) > maxRunes {
		return "", ErrLong
	}
	return tidy, nil
}
