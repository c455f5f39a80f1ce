package poker

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Client is a coordinator's connection to one poker.
type Client struct {
	Info Info
	conn net.Conn

	writing sync.Mutex
	mu      sync.Mutex
	next    uint64
	waiting map[uint64]func(reply)
	closed  error
	onPhase func(Phase)
}

// Dial connects to a poker. onPhase is called, from the goroutine that reads, at
// every phase of a Watch; it must not wait for the poker.
func Dial(ctx context.Context, address, token, experiment string, onPhase func(Phase)) (*Client, error) {
	network, where, err := splitAddress(address)
	if err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, network, where)
	if err != nil {
		return nil, fmt.Errorf("poker at %s: %w", address, err)
	}
	c := &Client{conn: conn, waiting: map[uint64]func(reply){}, onPhase: onPhase}
	go c.read()
	r, err := c.ask(ctx, request{Do: doHello, Token: token, Experiment: experiment})
	if err == nil && r.Info == nil {
		err = errors.New("it did not say what it is")
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("poker at %s: %w", address, err)
	}
	c.Info = *r.Info
	return c, nil
}

// Close ends the connection; the poker continues its service.
func (c *Client) Close() error { return c.conn.Close() }

// read hands replies to those who wait for them, until the connection ends.
func (c *Client) read() {
	in := bufio.NewReader(c.conn)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			c.fail(fmt.Errorf("connection to the poker ended: %w", err))
			return
		}
		var r reply
		if err := json.Unmarshal(line, &r); err != nil {
			c.fail(fmt.Errorf("poker sent %q: %w", line, err))
			return
		}
		if r.Phase != nil {
			if c.onPhase != nil {
				c.onPhase(*r.Phase)
			}
			continue
		}
		c.mu.Lock()
		done := c.waiting[r.ID]
		delete(c.waiting, r.ID)
		c.mu.Unlock()
		if done != nil {
			done(r)
		}
	}
}

// fail answers everybody who waits with an error.
func (c *Client) fail(err error) {
	c.mu.Lock()
	c.closed = err
	waiting := c.waiting
	c.waiting = map[uint64]func(reply){}
	c.mu.Unlock()
	c.conn.Close()
	for _, done := range waiting {
		done(reply{Error: err.Error()})
	}
}

// start sends a request; done gets its reply, an error included.
func (c *Client) start(req request, done func(reply)) {
	c.mu.Lock()
	if err := c.closed; err != nil {
		c.mu.Unlock()
		done(reply{Error: err.Error()})
		return
	}
	c.next++
	req.ID = c.next
	c.waiting[req.ID] = done
	c.mu.Unlock()
	line, err := json.Marshal(req)
	if err != nil {
		panic("poker: encode request: " + err.Error()) // plain data
	}
	c.writing.Lock()
	_ = c.conn.SetWriteDeadline(time.Now().Add(time.Second))
	_, err = c.conn.Write(append(line, '\n'))
	c.writing.Unlock()
	if err != nil {
		c.fail(fmt.Errorf("connection to the poker ended: %w", err))
	}
}

// ask sends a request and waits for its reply.
func (c *Client) ask(ctx context.Context, req request) (reply, error) {
	replies := make(chan reply, 1)
	c.start(req, func(r reply) { replies <- r })
	select {
	case r := <-replies:
		if r.Error != "" {
			return r, errors.New(r.Error)
		}
		return r, nil
	case <-ctx.Done():
		return reply{}, ctx.Err()
	}
}

// Stats returns what the poker knows of its service.
func (c *Client) Stats(ctx context.Context) (Stats, error) {
	r, err := c.ask(ctx, request{Do: doStats})
	if err != nil || r.Stats == nil {
		return Stats{}, errors.Join(err, ctx.Err())
	}
	return *r.Stats, nil
}

// Work asks for what the service has done, and does not wait for it. done is called
// from the goroutine that reads, and not at all if the connection ends.
func (c *Client) Work(done func(Work)) {
	c.start(request{Do: doWork}, func(r reply) {
		if r.Work != nil {
			done(*r.Work)
		}
	})
}

// Watch asks for a phase after every batch of requests, of one route unless that is "";
// 0 is for none any more.
func (c *Client) Watch(ctx context.Context, batch int, route string) error {
	_, err := c.ask(ctx, request{Do: doWatch, Batch: batch, Route: route})
	return err
}

// Pause orders a pause and does not wait for it. Phases of one connection rise.
// done is called from the goroutine that reads.
func (c *Client) Pause(phase uint64, d time.Duration, done func(Interval, error)) {
	c.start(request{Do: doPause, Phase: phase, Nanos: int64(d)}, func(r reply) {
		var in Interval
		if r.Interval != nil {
			in = *r.Interval
		}
		if r.Error != "" {
			done(in, errors.New(r.Error))
			return
		}
		done(in, nil)
	})
}
