package local_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onefold/onefold/testdata/apps/fulfilment/gen/invoice"
	"github.com/onefold/onefold/testdata/apps/fulfilment/gen/mail"
	"github.com/onefold/onefold/testdata/apps/fulfilment/providertest"
)

// orderCents is what every order costs.
const orderCents = 500

// saga is a way in which an order goes, and how often it did.
type saga struct {
	card, address string
	reply         string // what its client gets
	count         int
}

// sagasOf returns the ways: the card is declined; the parcel has no address, so that the money is given
// back and the invoice cancelled; the parcel waits two hours for the van, which the test does not.
func sagasOf() []saga {
	return []saga{
		{card: "stolen", address: "here", reply: `422 "code":"order.ErrDeclined"`},
		{card: "card", address: "", reply: `422 "code":"shipping.ErrAddress"`},
		{card: "card", address: "here", reply: `202 "status":`},
	}
}

// TestKillWorkflows kills the server with SIGKILL at random, again and again, while clients have
// orders fulfilled and attach to each by its key until they know its end, or that it waits. At the end every step of
// each has happened exactly once, and so have the payments, refunds and letters.
func TestKillWorkflows(t *testing.T) {
	payments := providertest.New()
	provider := httptest.NewServer(overNetwork(payments))
	defer provider.Close()
	t.Setenv("ORDERS_PROVIDER", provider.URL)
	address := freeAddress(t)
	url := "http://" + address
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)

	args := []string{"--listen", address, "--data", filepath.Join(t.TempDir(), "data")}
	first := mustStart(t, "fulfilment", args...)
	const stock = 100_000
	persist(t, url+"/Stock/Receive", fmt.Sprintf(`{"sku":"pen","count":%d}`, stock), "stock")
	stop := make(chan struct{})
	made := make([][]saga, killClients)
	var clients sync.WaitGroup
	for i := range made {
		clients.Go(func() {
			made[i] = sagasOf()
			orderUntil(t, url, fmt.Sprint("client", i), made[i], rand.New(rand.NewPCG(uint64(seed), uint64(i))), stop)
		})
	}
	kills := killUntil(t, "fulfilment", first, time.Now().Add(*killFor/2), rand.New(rand.NewPCG(uint64(seed), killClients)), args...)
	close(stop)
	clients.Wait()

	declined, undone, waiting := total(made, 0), total(made, 1), total(made, 2)
	t.Logf("%d kills, %d orders declined, %d undone, %d that wait, %d calls of the provider", kills, declined, undone, waiting, payments.Calls())
	if kills < 3 || declined+undone+waiting < 3 {
		t.Errorf("that shows nothing")
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if settled(t, url, payments, declined, undone, waiting, stock) == "" {
			return
		}
	}
	t.Error(settled(t, url, payments, declined, undone, waiting, stock))
}

// total returns how many orders of all clients went the n-th way.
func total(made [][]saga, n int) (sum int) {
	for _, sagas := range made {
		sum += sagas[n].count
	}
	return sum
}

// overNetwork serves what transport answers.
func overNetwork(transport http.RoundTripper) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reply, err := transport.RoundTrip(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer reply.Body.Close()
		w.WriteHeader(reply.StatusCode)
		io.Copy(w, reply.Body)
	})
}

// orderUntil has orders fulfilled until stop, each of a customer of its own.
func orderUntil(t *testing.T, url, client string, sagas []saga, random *rand.Rand, stop <-chan struct{}) {
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		default:
		}
		s := &sagas[random.IntN(len(sagas))]
		customer := fmt.Sprint(client, "-", i)
		body := fmt.Sprintf(`{"order":{"customer":%q,"address":%q,"card":%q,"cents":%d,"lines":[{"sku":"pen","count":1}]}}`, customer, s.address, s.card, orderCents)
		status, want, _ := strings.Cut(s.reply, " ")
		reply := attach(t, url+"/Orders/Fulfil", body, customer, status == "202")
		if !strings.HasPrefix(reply, status) || !strings.Contains(reply, want) {
			t.Errorf("the order of %s gives %s, want %s", customer, reply, s.reply)
		}
		s.count++
	}
}

// attach asks for a workflow under its key until it has ended or, in the background, is accepted.
func attach(t *testing.T, url, body, key string, background bool) string {
	for {
		status, reply, err := post(killClient, url, body, key, preference(background)...)
		switch {
		case err != nil || status == 202 && !background || status == 503:
			time.Sleep(time.Millisecond)
		default:
			return fmt.Sprint(status, " ", reply)
		}
	}
}

func preference(background bool) []string {
	if background {
		return []string{"Prefer", "respond-async"}
	}
	return nil
}

// settled returns what is not as it must be once nothing is left to be done but to wait for the van.
func settled(t *testing.T, url string, payments *providertest.Provider, declined, undone, waiting, stock int) string {
	t.Helper()
	var free int
	var letters []mail.Letter
	var invoices []invoice.Invoice
	query(t, url+"/Stock/Free", `{"sku":"pen"}`, &free)
	query(t, url+"/Outbox/Letters", `{}`, &letters)
	query(t, url+"/Invoices/All", `{}`, &invoices)
	customers := map[string]bool{}
	for _, l := range letters {
		customers[l.To] = true
	}
	cancelled := len(slices.DeleteFunc(slices.Clone(invoices), func(i invoice.Invoice) bool { return !i.Cancelled }))
	for _, check := range []struct {
		what      string
		got, want int
	}{
		{"pieces in stock", free, stock - waiting},
		{"letters", len(letters), declined + undone},
		{"customers with letters", len(customers), declined + undone},
		{"invoices", len(invoices), undone + waiting},
		{"cancelled invoices", cancelled, undone},
		{"cents paid", payments.Paid(), waiting * orderCents},
		{"keys of payments and refunds", len(payments.Keys()), declined + 2*undone + waiting},
	} {
		if check.got != check.want {
			return fmt.Sprintf("%s: %d, want %d", check.what, check.got, check.want)
		}
	}
	return ""
}
