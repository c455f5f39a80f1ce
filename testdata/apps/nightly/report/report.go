// Package report keeps what was sold on which day.
package report

import (
	"context"
	"time"

	"github.com/onefold/onefold/testdata/apps/nightly/sales"
)

// Reports is the books.
//
//onefold:service
type Reports struct {
	sales *sales.Sales
	days  map[string]map[string]int // cents by day and shop
}

// NewReports returns empty books over the tills.
func NewReports(s *sales.Sales) *Reports {
	return &Reports{sales: s, days: map[string]map[string]int{}}
}

// Nightly closes the tills of all shops, at three o'clock, and books what was in them. Shops
// that sell meanwhile are not held up, and no sale is booked twice or lost.
//
//onefold:workflow
//onefold:every 0 3 * * *
func (r *Reports) Nightly(ctx context.Context) error {
	day := time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly)
	shops, err := r.sales.Shops(ctx)
	if err != nil {
		return err
	}
	for _, shop := range shops {
		cents, err := r.sales.Close(ctx, shop)
		if err != nil {
			return err
		}
		if err := r.Book(ctx, day, shop, cents); err != nil {
			return err
		}
	}
	return nil
}

// Book adds what a shop took in on a day.
func (r *Reports) Book(ctx context.Context, day, shop string, cents int) error {
	shops := r.days[day]
	if shops == nil {
		shops = map[string]int{}
	}
	shops[shop] += cents
	r.days[day] = shops
	return nil
}

// Day returns what the shops took in on a day.
func (r *Reports) Day(ctx context.Context, day string) (map[string]int, error) {
	return r.days[day], nil
}
