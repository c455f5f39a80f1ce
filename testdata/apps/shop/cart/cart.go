// Package cart keeps what customers want to buy.
package cart

import (
	"context"
	"errors"
	"time"

	"github.com/onefold/onefold/testdata/apps/shop/types"
)

// ErrEmpty is returned where there is nothing in a cart.
var ErrEmpty = errors.New("cart: nothing in it")

// maxAge is how long a cart is kept that nobody touches.
const maxAge = 48 * time.Hour

// Cart is one customer's.
type Cart struct {
	Lines   []types.Line  `json:"lines"`
	Gift    *Gift         `json:"gift"`
	Touched time.Time     `json:"touched"`
	Kept    time.Duration `json:"kept"`
}

// Gift says that the cart is one.
type Gift struct {
	To   string   `json:"to"`
	Card []string `json:"card"` // its lines
}

// Carts keeps carts by customer.
//
//onefold:service
type Carts struct {
	carts  map[string]Cart
	parked map[string][]Cart // set aside, the latest last
	added  int
}

// NewCarts returns a Carts without carts.
func NewCarts() *Carts {
	return &Carts{carts: map[string]Cart{}, parked: map[string][]Cart{}}
}

// Add puts articles into a cart and returns how many of that article are in it.
func (c *Carts) Add(ctx context.Context, customer string, line types.Line) (int, error) {
	cart := c.carts[customer]
	c.touch(&cart)
	c.added += line.Count
	for i := range cart.Lines {
		if cart.Lines[i].SKU == line.SKU {
			cart.Lines[i].Count += line.Count
			cart.Lines[i].Price = line.Price
			c.carts[customer] = cart
			return cart.Lines[i].Count, nil
		}
	}
	cart.Lines = append(cart.Lines, line)
	c.carts[customer] = cart
	return line.Count, nil
}

// touch notes that a cart is used now.
func (c *Carts) touch(cart *Cart) {
	cart.Touched = time.Now().UTC()
	cart.Kept = maxAge
}

// Wrap makes a cart a gift, or adds a line to its card.
func (c *Carts) Wrap(ctx context.Context, customer, to, line string) error {
	cart, ok := c.carts[customer]
	if !ok {
		return ErrEmpty
	}
	if cart.Gift == nil {
		cart.Gift = &Gift{To: to}
	}
	cart.Gift.Card = append(cart.Gift.Card, line)
	c.carts[customer] = cart
	return nil
}

// Take empties a cart and returns what was in it.
func (c *Carts) Take(ctx context.Context, customer string) ([]types.Line, error) {
	cart, ok := c.carts[customer]
	if !ok || len(cart.Lines) == 0 {
		return nil, ErrEmpty
	}
	delete(c.carts, customer)
	return cart.Lines, nil
}

// Park sets a cart aside.
func (c *Carts) Park(ctx context.Context, customer string) (int, error) {
	if cart, ok := c.carts[customer]; ok {
		c.parked[customer] = append(c.parked[customer], cart)
		delete(c.carts, customer)
	}
	return len(c.parked[customer]), nil
}

// Unpark takes the cart back that was set aside last. What is in the present one is lost.
func (c *Carts) Unpark(ctx context.Context, customer string) (bool, error) {
	parked := c.parked[customer]
	if len(parked) == 0 {
		return false, nil
	}
	c.carts[customer] = parked[len(parked)-1]
	c.parked[customer] = parked[:len(parked)-1]
	return true, nil
}

// Cart returns a customer's cart; nil is none.
func (c *Carts) Cart(ctx context.Context, customer string) (*Cart, error) {
	cart, ok := c.carts[customer]
	if !ok {
		return nil, nil
	}
	return &cart, nil
}

// Expire removes carts that nobody touched for the given time, and returns how many.
func (c *Carts) Expire(ctx context.Context, age time.Duration) (int, error) {
	var expired []string
	for customer, cart := range c.carts {
		if time.Since(cart.Touched) >= age {
			expired = append(expired, customer)
		}
	}
	for _, customer := range expired {
		delete(c.carts, customer)
	}
	return len(expired), nil
}

// Added returns the number of articles ever put into carts.
func (c *Carts) Added(ctx context.Context) (int, error) {
	return c.added, nil
}
