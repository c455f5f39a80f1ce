//go:build linux

package stage_test

import (
	"fmt"
	"testing"

	"github.com/onefold/onefold/testdata/apps/bank/gen/audit"
	"github.com/onefold/onefold/testdata/apps/travel/gen/hotel"
)

// travellers book trips, each for a user of its own: three services, one commit.
type travellers struct{}

func (travellers) services() []string { return []string{"Frontend", "Hotel", "Flight", "Orders"} }

const places = 1_000_000

func trip(client int) string { return fmt.Sprintf("trip%d", client) }

func user(client, n int) string { return fmt.Sprintf("user%d-%d", client, n) }

func (travellers) prepare(c *client) {
	c.persist("/Hotel/Add", fmt.Sprintf(`{"hotelID":%q,"capacity":%d}`, trip(c.number), places), "hotel of "+trip(c.number))
	c.persist("/Flight/Add", fmt.Sprintf(`{"flightID":%q,"seats":%d}`, trip(c.number), places), "flight of "+trip(c.number))
}

func (travellers) request(c *client, n int) (path, body string) {
	return "/Frontend/Book", fmt.Sprintf(`{"user":%q,"hotelID":%[2]q,"flightID":%[2]q}`, user(c.number, n), trip(c.number))
}

func (travellers) check(t *testing.T, c *client, errands []errand) {
	times, guests := map[string]int{}, 0
	for i := range faultyClients {
		var room hotel.Room
		c.query("/Hotel/Room", fmt.Sprintf(`{"hotelID":%q}`, trip(i)), &room)
		var flight struct{ Seats int }
		c.query("/Flight/Seats", fmt.Sprintf(`{"flightID":%q}`, trip(i)), &flight)
		if room.Capacity+len(room.Guests) != places || flight.Seats != room.Capacity {
			t.Errorf("trip %d has %d guests, %d places and %d seats left of %d", i, len(room.Guests), room.Capacity, flight.Seats, places)
		}
		guests += len(room.Guests)
		for _, g := range room.Guests {
			times[g]++
		}
	}
	var total, orders int
	c.query("/Hotel/Total", "{}", &total)
	c.query("/Orders/Count", "{}", &orders)
	if guests != total || total != orders {
		t.Errorf("%d guests, %d reservations, %d orders: a request happened in part", guests, total, orders)
	}
	replies := map[string]errand{}
	for _, e := range errands {
		if n := times[user(e.client, e.number)]; n > 1 || e.acked && n == 0 {
			t.Errorf("request %d of client %d (acknowledged: %t) happened %d times", e.number, e.client, e.acked, n)
		}
		if other, dup := replies[e.reply]; dup && e.acked {
			t.Errorf("requests %v and %v got the same order %s", e, other, e.reply)
		}
		if e.acked {
			replies[e.reply] = e
		}
	}
}

// savers move money, each amount once, to an account that all of them share.
type savers struct{}

func (savers) services() []string { return []string{"Teller", "Accounts", "Log"} }

const (
	savings = 1_000_000_000
	step    = 1_000_000 // between the amounts of clients
)

func purse(client int) string { return fmt.Sprintf("purse%d", client) }

func (savers) prepare(c *client) {
	for _, account := range []string{purse(c.number), "pool"} {
		body := fmt.Sprintf(`{"id":%q,"owner":"all"}`, account)
		for status := 0; status != 200 && status != 422; { // 422: another client opened the pool
			status, _ = c.post("/Accounts/Open", body, fmt.Sprintf("client %d opens %s", c.number, account))
		}
	}
	c.persist("/Accounts/Deposit", fmt.Sprintf(`{"id":%q,"cents":%d}`, purse(c.number), savings), "first deposit of "+purse(c.number))
}

func amount(client, n int) int64 { return int64(client*step + n) }

func (savers) request(c *client, n int) (path, body string) {
	return "/Teller/Transfer", fmt.Sprintf(`{"from":%q,"to":"pool","cents":%d}`, purse(c.number), amount(c.number, n))
}

func (savers) check(t *testing.T, c *client, errands []errand) {
	var entries []audit.Entry
	c.query("/Log/Of", `{"account":"pool"}`, &entries)
	times, sum := map[int64]int{}, int64(0)
	for _, e := range entries {
		times[e.Cents]++
		sum += e.Cents
	}
	for _, e := range errands {
		if n := times[amount(e.client, e.number)]; n > 1 || e.acked && n == 0 {
			t.Errorf("request %d of client %d (acknowledged: %t) happened %d times", e.number, e.client, e.acked, n)
		}
	}
	var pool, total int64
	c.query("/Accounts/Balance", `{"id":"pool"}`, &pool)
	c.query("/Accounts/Total", "{}", &total)
	left := int64(0)
	for i := range faultyClients {
		var balance int64
		c.query("/Accounts/Balance", fmt.Sprintf(`{"id":%q}`, purse(i)), &balance)
		left += balance
	}
	var statistics struct{ Done int }
	c.query("/Teller/Statistics", "{}", &statistics)
	if pool != sum || left+pool != faultyClients*savings || total != left+pool || statistics.Done != len(times) {
		t.Errorf("the pool has %d, its log says %d in %d transfers, the teller made %d; %d cents are left of %d, the total is %d",
			pool, sum, len(times), statistics.Done, left, faultyClients*savings, total)
	}
}
