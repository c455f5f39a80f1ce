package onefoldtest

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/onefold/onefold/runtime"
)

// plan is everything about a run of a swarm that the seed decides beforehand.
type plan struct {
	weather  weather
	parallel bool // branches run in parallel
	remote   bool // reads are network rounds
	places   []placement
	clients  [][]errand
}

// placement is a place with the services that processes there host.
type placement struct {
	name     string
	services []string
}

// errand is one request of a client.
type errand struct {
	Request
	as   identity
	wait time.Duration // before it
	name string        // tells it from all others
}

// newPlan makes the plan of a seed.
func newPlan(plain *App, compiled *runtime.App, opts Options) *plan {
	r := opts.rand(10)
	p := &plan{weather: forecast(r), parallel: r.IntN(4) > 0, remote: r.IntN(2) == 0}
	var all []string
	for _, s := range compiled.Services {
		all = append(all, s.Name)
	}
	p.places = spread(r, all)
	work := newWorkload(plain, opts)
	var first []errand
	for i, req := range opts.Scenario {
		first = append(first, errand{Request: req, as: byKey, name: fmt.Sprintf("scenario %d", i)})
	}
	p.clients = append(p.clients, first)
	pause := time.Second
	if r.IntN(2) == 0 {
		pause = 2 * longestStep // they meet more often
	}
	for c := range opts.Clients {
		p.clients = append(p.clients, script(work, opts.rand(uint64(11+c)), c, opts.Steps, pause))
	}
	return p
}

// spread puts services into processes: all of them into each, or, most often, a few
// into each, with up to three replicas.
func spread(r *rand.Rand, services []string) (places []placement) {
	groups := [][]string{services}
	if r.IntN(4) > 0 {
		groups = nil
		for _, s := range services {
			if i := r.IntN(len(groups) + 3); i < len(groups) {
				groups[i] = append(groups[i], s)
			} else {
				groups = append(groups, []string{s})
			}
		}
	}
	for _, g := range groups {
		for i := range 1 + r.IntN(3) {
			places = append(places, placement{fmt.Sprintf("%s-%d", strings.ToLower(g[0]), i+1), g})
		}
	}
	return places
}

// peers says where calls to services go, as processes want to know it.
func (p *plan) peers() string {
	var list []string
	for _, where := range p.places {
		for _, s := range where.services {
			list = append(list, s+"=http://"+where.name+callsPort)
		}
	}
	return strings.Join(list, ",")
}

// The ports of a process, for requests and for calls from other processes.
const (
	publicPort = ":80"
	callsPort  = ":7070"
)

// script makes the requests of one client.
func script(work *workload, r *rand.Rand, client, n int, pause time.Duration) []errand {
	var list []errand
	for i := range n {
		list = append(list, errand{
			Request: work.request(r),
			as:      identity(r.IntN(int(identities))),
			wait:    within(r, pause),
			name:    fmt.Sprintf("client %d request %d", client, i),
		})
	}
	return list
}

// String says how the application is spread.
func (p *plan) String() string {
	var all []string
	for _, where := range p.places {
		all = append(all, where.name+"("+strings.Join(where.services, " ")+")")
	}
	return strings.Join(all, ", ")
}

// seededID returns a UUIDv7 of the time now, with the randomness of r.
func seededID(r *rand.Rand) string {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], uint64(time.Now().UnixMilli())<<16|r.Uint64()&0x0fff|0x7000)
	binary.BigEndian.PutUint64(id[8:], r.Uint64()>>2|1<<63)
	s := hex.EncodeToString(id[:])
	return strings.Join([]string{s[:8], s[8:12], s[12:16], s[16:20], s[20:]}, "-")
}
