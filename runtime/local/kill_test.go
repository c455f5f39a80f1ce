package local_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/onefold/onefold/testdata/apps/travel/gen/hotel"
)

var killFor = flag.Duration("kill", 3*time.Second, "how long the kill test goes on")

// killClients send one booking after the other.
const killClients = 6

// booking is what a client knows of one request when all is over.
type booking struct {
	user  string
	trip  string // hotel and flight
	acked bool
	order int // of the reply, if acked
}

// TestKill kills the server with SIGKILL at random, again and again, while clients
// book trips and repeat each request under its key until they have an answer, some
// twice at a time. At the end every answered request has happened exactly once, and
// those that were given up at most once.
func TestKill(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	address := freeAddress(t)
	url := "http://" + address
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)

	first := mustStart(t, "travel", "--listen", address, "--data", data)
	stop := make(chan struct{})
	bookings := make([][]booking, killClients)
	var clients sync.WaitGroup
	for i := range bookings {
		clients.Go(func() {
			bookings[i] = book(t, url, fmt.Sprintf("client%d", i), rand.New(rand.NewPCG(uint64(seed), uint64(i))), stop)
		})
	}
	kills := killUntil(t, "travel", first, time.Now().Add(*killFor), rand.New(rand.NewPCG(uint64(seed), killClients)), "--listen", address, "--data", data)
	close(stop)
	clients.Wait()

	acked := checkBookings(t, url, slices.Concat(bookings...))
	t.Logf("%d kills, %d requests acknowledged", kills, acked)
	if kills < 3 || acked < kills {
		t.Errorf("%d kills and %d acknowledged requests show nothing", kills, acked)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// killUntil kills the server and starts it again until the time has come, and
// leaves the last one running.
func killUntil(t *testing.T, app string, p *process, end time.Time, random *rand.Rand, args ...string) (kills int) {
	for time.Now().Before(end) {
		time.Sleep(time.Duration(random.IntN(150)) * time.Millisecond)
		p.cmd.Process.Kill()
		p.cmd.Wait()
		kills++
		p = mustStart(t, app, args...)
	}
	return kills
}

// bookingsPerTrip is after how many bookings a client takes another hotel and
// flight, so that their lists of guests stay short.
const bookingsPerTrip = 100

// book makes bookings until stop, each for a user of its own.
func book(t *testing.T, url, client string, random *rand.Rand, stop <-chan struct{}) (made []booking) {
	var trip string
	var duplicates sync.WaitGroup
	defer duplicates.Wait()
	for i := 0; ; i++ {
		select {
		case <-stop:
			return made
		default:
		}
		if i%bookingsPerTrip == 0 {
			trip = fmt.Sprintf("%s-trip%d", client, i/bookingsPerTrip)
			persist(t, url+"/Hotel/Add", fmt.Sprintf(`{"hotelID":%q,"capacity":%d}`, trip, 2*bookingsPerTrip), "hotel "+trip)
			persist(t, url+"/Flight/Add", fmt.Sprintf(`{"flightID":%q,"seats":%d}`, trip, 2*bookingsPerTrip), "flight "+trip)
		}
		b := booking{user: fmt.Sprintf("%s-user%d", client, i), trip: trip}
		body := fmt.Sprintf(`{"user":%q,"hotelID":%q,"flightID":%q}`, b.user, trip, trip)
		key := "booking of " + b.user
		if random.IntN(4) == 0 { // a duplicate that nobody waits for
			duplicates.Go(func() { post(killClient, url+"/Frontend/Book", body, key) })
		}
		if random.IntN(10) == 0 { // a request that is given up at the first failure
			if status, reply, err := post(killClient, url+"/Frontend/Book", body, key); err == nil && status == 200 {
				b.acknowledge(reply)
			}
		} else {
			b.acknowledge(persist(t, url+"/Frontend/Book", body, key))
		}
		made = append(made, b)
	}
}

func (b *booking) acknowledge(reply string) {
	b.acked = json.Unmarshal([]byte(reply), &b.order) == nil
}

var killClient = &http.Client{Timeout: 5 * time.Second}

// persist repeats a request under its key until there is an answer.
func persist(t *testing.T, url, body, key string) (reply string) {
	for {
		status, reply, err := post(killClient, url, body, key)
		if err == nil && status == 200 {
			return reply
		}
		if err == nil && status != 503 && status != 504 {
			t.Errorf("%s %s: %d %s", url, body, status, reply)
			return reply
		}
		time.Sleep(time.Millisecond)
	}
}

// checkBookings compares the state with what the clients know.
func checkBookings(t *testing.T, url string, bookings []booking) (acked int) {
	t.Helper()
	times := map[string]int{} // by user
	guests := 0
	seen := map[string]bool{}
	for _, b := range bookings {
		if seen[b.trip] {
			continue
		}
		seen[b.trip] = true
		var room hotel.Room
		query(t, url+"/Hotel/Room", fmt.Sprintf(`{"hotelID":%q}`, b.trip), &room)
		if room.Capacity+len(room.Guests) != 2*bookingsPerTrip {
			t.Errorf("hotel %s: %d places free with %d guests, want %d together", b.trip, room.Capacity, len(room.Guests), 2*bookingsPerTrip)
		}
		guests += len(room.Guests)
		for _, user := range room.Guests {
			times[user]++
		}
	}
	var total, orders int
	query(t, url+"/Hotel/Total", "{}", &total)
	query(t, url+"/Orders/Count", "{}", &orders)
	if guests != total || total != orders {
		t.Errorf("%d guests, %d reservations, %d orders: a request happened in part", guests, total, orders)
	}
	numbers := map[int]string{}
	for _, b := range bookings {
		if n := times[b.user]; n > 1 || b.acked && n == 0 {
			t.Errorf("the booking of %s (acknowledged: %t) happened %d times", b.user, b.acked, n)
		}
		if !b.acked {
			continue
		}
		acked++
		if other, dup := numbers[b.order]; dup || b.order < 1 || b.order > orders {
			t.Errorf("%s got order %d of %d (another with it: %q)", b.user, b.order, orders, other)
		}
		numbers[b.order] = b.user
	}
	return acked
}

func query(t *testing.T, url, body string, into any) {
	t.Helper()
	status, reply, err := post(killClient, url, body, "")
	if err != nil || status != 200 {
		t.Fatalf("%s: %d %s, %v", url, status, reply, err)
	}
	if err := json.Unmarshal([]byte(reply), into); err != nil {
		t.Fatalf("%s: %v", url, err)
	}
}
