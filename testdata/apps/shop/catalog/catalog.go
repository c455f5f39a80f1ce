// Package catalog knows the articles of the shop.
package catalog

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/onefold/onefold/testdata/apps/shop/types"
)

// Errors of the service.
var (
	ErrUnknown = errors.New("catalog: unknown article")
	ErrPrice   = errors.New("catalog: price must be positive")
)

// settings is the part of the catalogue that the owner of the shop may change.
type settings struct {
	featured [3]types.SKU
	discount map[string]int // percent by tag
	open     bool
}

// Catalog keeps the articles.
//
//onefold:service
type Catalog struct {
	mu       sync.RWMutex
	items    map[types.SKU]*types.Item
	sale     map[bool][]types.SKU // articles by whether they are on sale
	tagged   map[string]map[types.SKU]bool
	settings settings
	views    map[types.SKU]uint32
	history  []string
	currency string `onefold:"config"`
}

// NewCatalog returns a catalogue that is open and empty.
func NewCatalog() *Catalog {
	return &Catalog{
		items:    map[types.SKU]*types.Item{},
		sale:     make(map[bool][]types.SKU),
		tagged:   map[string]map[types.SKU]bool{},
		settings: settings{discount: map[string]int{"old": 50}, open: true},
		views:    map[types.SKU]uint32{},
		currency: "EUR",
	}
}

// Put makes an article or changes it. It reports whether the article is new.
func (c *Catalog) Put(ctx context.Context, sku types.SKU, price types.Cents, tags []string) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if price <= 0 {
		return false, ErrPrice
	}
	item, known := c.items[sku]
	if !known {
		item = &types.Item{SKU: sku, Stamps: types.Stamps{Created: time.Now().UTC()}}
		c.items[sku] = item
		c.sale[false] = append(c.sale[false], sku)
	}
	item.Price = price // item is the stored one, new or old
	item.SetCost(int(price) / 2)
	item.Touch()
	for _, tag := range tags {
		if c.tagged[tag] == nil {
			c.tagged[tag] = map[types.SKU]bool{}
		}
		if !c.tagged[tag][sku] {
			c.tagged[tag][sku] = true
			item.Tags = append(item.Tags, tag)
		}
	}
	c.history = append(c.history, "put", string(sku))
	return !known, nil
}

// Describe sets a text and a measure of an article.
func (c *Catalog) Describe(ctx context.Context, sku types.SKU, language, text string, axis, millimetres int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.items[sku]; !ok {
		return ErrUnknown
	}
	if c.items[sku].Texts == nil {
		c.items[sku].Texts = map[string]string{}
	}
	c.items[sku].Texts[language] = text
	c.items[sku].Size.Millimetres[axis] = millimetres // panics for an axis that is none
	c.items[sku].Size.Kilograms += 0.5
	c.items[sku].Image = append(c.items[sku].Image, text...)
	c.items[sku].Changes++
	return nil
}

// Item returns an article and counts the view.
func (c *Catalog) Item(ctx context.Context, sku types.SKU) (types.Item, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	item := c.items[sku]
	if item == nil {
		return types.Item{}, ErrUnknown
	}
	c.views[sku]++
	return *item, nil
}

// Price returns what an article costs now, discounts included.
func (c *Catalog) Price(ctx context.Context, sku types.SKU) (types.Cents, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	item, ok := c.items[sku]
	if !ok {
		return 0, ErrUnknown
	}
	price := item.Price
	for _, tag := range item.Tags {
		price -= price * types.Cents(c.settings.discount[tag]) / 100
	}
	return price, nil
}

// Sale puts an article on sale, or takes it off. It reports whether that changed anything.
func (c *Catalog) Sale(ctx context.Context, sku types.SKU, on bool) (changed bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	item, ok := c.items[sku]
	switch {
	case !ok:
		return false, ErrUnknown
	case item.OnSale == on:
		return false, nil
	}
	defer func() {
		if changed {
			c.history = append(c.history, "sale")
		}
	}()
	item.OnSale = on
	c.sale[on] = append(c.sale[on], sku)
	rest := make([]types.SKU, 0)
	for _, other := range c.sale[!on] {
		if other != sku {
			rest = append(rest, other)
		}
	}
	c.sale[!on] = rest
	return true, nil
}

// OnSale returns the articles that are on sale, or those that are not.
func (c *Catalog) OnSale(ctx context.Context, on bool) ([]types.SKU, error) {
	return c.sale[on], nil
}

// Rename gives an article another name; the object stays the same one.
func (c *Catalog) Rename(ctx context.Context, from, to types.SKU) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	item, ok := c.items[from]
	if !ok {
		return ErrUnknown
	}
	delete(c.items, from)
	c.items[to] = item
	item.SKU = to
	item.Stamps.Touch()
	c.views[to] += c.views[from]
	delete(c.views, from)
	return nil
}

// Swap exchanges the prices of two articles.
func (c *Catalog) Swap(ctx context.Context, a, b types.SKU) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.items[a] == nil || c.items[b] == nil {
		return ErrUnknown
	}
	c.items[a].Price, c.items[b].Price = c.items[b].Price, c.items[a].Price
	return nil
}

// Remove deletes an article. Changing the object afterwards does not bring it back.
func (c *Catalog) Remove(ctx context.Context, sku types.SKU) (types.Item, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	item, ok := c.items[sku]
	if !ok {
		return types.Item{}, ErrUnknown
	}
	delete(c.items, sku)
	delete(c.views, sku)
	item.Price = 0
	for _, tag := range item.Tags {
		delete(c.tagged[tag], sku)
		if len(c.tagged[tag]) == 0 {
			delete(c.tagged, tag)
		}
	}
	return *item, nil
}

// Tagged returns the articles with a tag, in order.
func (c *Catalog) Tagged(ctx context.Context, tag string) ([]types.SKU, error) {
	return types.SortedKeys(c.tagged[tag]), nil
}

// Discount sets the percentage that a tag takes off, 0 for none.
func (c *Catalog) Discount(ctx context.Context, tag string, percent int) error {
	if percent == 0 {
		delete(c.settings.discount, tag)
		return nil
	}
	c.settings.discount[tag] = percent
	return nil
}

// Feature puts an article on the front page. A place that the page does not
// have is a panic: the request fails and leaves no trace.
func (c *Catalog) Feature(ctx context.Context, place int, sku types.SKU) ([3]types.SKU, error) {
	c.settings.open = true
	c.settings.featured[place] = sku
	return c.settings.featured, nil
}

// Views returns the sum of all views, the most viewed article's views, and how many were viewed.
func (c *Catalog) Views(ctx context.Context) (sum uint64, most uint32, viewed int, err error) {
	for _, n := range c.views {
		sum += uint64(n)
		most = max(most, n)
	}
	return sum, most, len(c.views), nil
}

// Raise adds percent to all prices but those on sale.
func (c *Catalog) Raise(ctx context.Context, percent int) (raised int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, item := range c.items {
		if item.OnSale {
			continue
		}
		item.Price += item.Price * types.Cents(percent) / 100
		raised++
	}
	return raised, nil
}

// History returns the last n entries of what happened, or all of it where n is negative.
func (c *Catalog) History(ctx context.Context, n int) ([]string, error) {
	if n < 0 || n > len(c.history) {
		return c.history, nil
	}
	return c.history[len(c.history)-n:], nil
}

// Rewind forgets all but the first n entries of the history.
func (c *Catalog) Rewind(ctx context.Context, n int) (int, error) {
	if n < len(c.history) {
		c.history = c.history[:n] // panics for a negative n
	}
	return len(c.history), nil
}

// Currency returns what prices are in.
func (c *Catalog) Currency(ctx context.Context) (string, error) {
	return c.currency, nil
}
