// Package mail is where letters to members go.
package mail

import "context"

// Letter is a letter.
type Letter struct {
	To   string `json:"to"`
	Text string `json:"text"`
}

// Outbox holds the letters until the postman comes.
//
//onefold:service
type Outbox struct {
	letters []Letter
}

// NewOutbox returns an empty outbox.
func NewOutbox() *Outbox { return &Outbox{} }

// Send puts a letter in the box.
func (o *Outbox) Send(ctx context.Context, to, text string) error {
	o.letters = append(o.letters, Letter{To: to, Text: text})
	return nil
}

// Letters returns the letters in the box, the oldest first.
func (o *Outbox) Letters(ctx context.Context) ([]Letter, error) { return o.letters, nil }
