// Package provider is the client of a payment provider: a system outside, which knows
// nothing of our transactions. What it offers instead is an idempotency key: of
// several payments with one key it makes one, and gives the same answer to each.
package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// Payment asks for money.
type Payment struct {
	Card  string `json:"card"`
	Cents int    `json:"cents"`
}

// Answer is what became of a payment.
type Answer struct {
	Receipt  string `json:"receipt"`
	Declined string `json:"declined"` // why, if it was
}

// Pay makes a payment.
func Pay(ctx context.Context, url, key string, p Payment) (Answer, error) {
	return post[Answer](ctx, url+"/payments", key, p)
}

// Refund gives back what was paid on a receipt.
func Refund(ctx context.Context, url, key, receipt string) (Answer, error) {
	return post[Answer](ctx, url+"/refunds", key, Answer{Receipt: receipt})
}

// tries is how often a request is made, with the same key, that does not get through.
const tries = 3

func post[T any](ctx context.Context, url, key string, body any) (answer T, err error) {
	text, err := json.Marshal(body)
	if err != nil {
		return answer, err
	}
	for range tries {
		if answer, err = try[T](ctx, url, key, text); err == nil {
			return answer, nil
		}
	}
	return answer, err
}

func try[T any](ctx context.Context, url, key string, body []byte) (answer T, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return answer, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", key)
	reply, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer, err
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return answer, fmt.Errorf("payment provider: %s", reply.Status)
	}
	return answer, json.NewDecoder(reply.Body).Decode(&answer)
}
