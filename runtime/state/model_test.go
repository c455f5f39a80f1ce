package state_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/runtime/atomic"
)

// The model test runs random programs twice: over handles, and over the plain
// fields of a Go struct. Each step reports what it saw; the reports and the
// states must be equal.

// fields is what a program sees of the service, whichever side it is on.
type fields interface {
	nodeGet(k string) *node
	nodeSet(k string, v *node)
	nodeLookup(k string) (*node, bool)
	nodeDelete(k string)
	nodeClear()
	nodeLen() int
	nodeEach(func(k string, v *node) bool)
	nodeAssign(map[string]*node)

	count(k int) (int, bool)
	countSet(k, n int)
	countAdd(k, n int)
	countUpdate(k int, f func(int) int)
	countDelete(k int)
	countClear()
	countEach(func(k, n int) bool)
	countLen() int

	itemGet(k string) item
	itemSet(k string, v item)
	itemDelete(k string)
	itemEach(func(k string, v item) bool)

	queueAppend(v ...*node)
	queueGet(i int) *node
	queueSet(i int, v *node)
	queueLen() int
	queueTruncate(n int)
	queueEach(func(i int, v *node) bool)

	lineAppend(v ...item)
	lineGet(i int) item
	lineSet(i int, v item)
	lineRef(i int) *item
	lineLen() int
	lineIsNil() bool
	lineTruncate(n int)
	lineAssign(v []item)
	lineClear()
	lineLoad() []item
	lineEach(func(i int, v item) bool)

	total() int
	totalAdd(n int)
	totalSet(n int)
	config() node
	configRef() *node

	savepoint(func() error) error
	branches(...func(fields) error) error
}

// program is a random program. It draws all its choices from a seed, so that
// both sides make the same.
type program struct {
	f    fields
	rng  *rand.Rand
	held []*node // local variables
	log  *strings.Builder
	deep int
}

var errAbort = errors.New("abort")

func (p *program) report(format string, args ...any) { fmt.Fprintf(p.log, format+"\n", args...) }

func (p *program) key() string { return string(rune('a' + p.rng.IntN(5))) }

// fresh returns an object that nobody has.
func (p *program) fresh() *node {
	n := &node{N: p.rng.IntN(100)}
	if p.rng.IntN(2) == 0 {
		n.Tags = []string{"t" + strconv.Itoa(n.N)}
	}
	if p.rng.IntN(4) == 0 {
		n.Next = &node{N: -n.N}
	}
	return n
}

func (p *program) hold(n *node) {
	if n == nil {
		return
	}
	if len(p.held) < 4 {
		p.held = append(p.held, n)
		return
	}
	p.held[p.rng.IntN(len(p.held))] = n
}

// local returns one of the objects in local variables.
func (p *program) local() *node {
	if len(p.held) == 0 {
		return p.fresh()
	}
	return p.held[p.rng.IntN(len(p.held))]
}

// show describes an object by content, and by which of the variables hold it.
func (p *program) show(n *node) string {
	if n == nil {
		return "nil"
	}
	who := ""
	for i, h := range p.held {
		if h == n {
			who += fmt.Sprintf(" =%d", i)
		}
	}
	return fmt.Sprintf("{%d %q %v next=%s}%s", n.N, n.Tags, n.meta, p.show(n.Next), who)
}

// mutate changes an object in place.
func (p *program) mutate(n *node) {
	switch p.rng.IntN(6) {
	case 0, 1:
		n.N++
	case 2:
		n.Tags = append(n.Tags, "x")
	case 3:
		if len(n.Tags) > 0 {
			n.Tags[0] += "!"
		}
	case 4:
		if n.meta == nil {
			n.meta = map[string]int{}
		}
		n.meta["m"] += 2
	case 5:
		switch {
		case n.Next == nil:
			n.Next = p.fresh()
		case p.rng.IntN(2) == 0:
			n.Next.N *= 3
		default:
			n.Next = nil
		}
	}
}

func (p *program) step() {
	switch p.rng.IntN(4) {
	case 0:
		p.nodeStep()
	case 1:
		p.scalarStep()
	case 2:
		p.lineStep()
	case 3:
		p.queueStep()
	}
}

func (p *program) nodeStep() {
	k := p.key()
	switch p.rng.IntN(14) {
	case 0, 1:
		n := p.f.nodeGet(k)
		p.report("get %s", p.show(n))
		p.hold(n)
	case 2:
		n, ok := p.f.nodeLookup(k)
		p.report("lookup %s %v", p.show(n), ok)
	case 3, 4:
		p.mutate(p.local())
	case 5:
		if n := p.f.nodeGet(k); n != nil {
			p.mutate(n)
			p.report("change %s", p.show(n))
		}
	case 6:
		n := p.fresh()
		if p.rng.IntN(3) == 0 {
			n = p.local() // it may be in another place, or have been in this one
		}
		p.f.nodeSet(k, n)
		p.hold(n)
	case 7: // move
		if n := p.f.nodeGet(k); n != nil {
			p.f.nodeDelete(k)
			p.f.nodeSet(p.key(), n)
			p.hold(n)
		}
	case 8:
		p.f.nodeDelete(k)
	case 9:
		p.report("len %d", p.f.nodeLen())
	case 10:
		stop := p.rng.IntN(8)
		p.f.nodeEach(func(k string, n *node) bool {
			p.report("each %s %s", k, p.show(n))
			if p.rng.IntN(3) == 0 {
				p.mutate(n)
			}
			p.body(k)
			stop--
			return stop != 0
		})
	case 11:
		if p.rng.IntN(3) == 0 {
			p.f.nodeClear()
		}
	case 12:
		if p.rng.IntN(3) == 0 {
			p.f.nodeAssign(map[string]*node{"a": p.fresh(), k: p.fresh()})
		}
	case 13:
		p.nest()
	}
}

// body changes the map in a loop over it: entries with other keys come and go.
func (p *program) body(k string) {
	switch other := p.key(); p.rng.IntN(24) {
	case 0, 1, 2:
		p.f.nodeDelete(k)
	case 3, 4, 5:
		p.f.nodeDelete(other)
	case 6, 7, 8, 9:
		p.f.nodeSet(other, p.fresh())
	case 10:
		p.f.nodeClear()
	case 11:
		p.f.nodeAssign(map[string]*node{"b": p.fresh(), "e": p.fresh()})
	case 12, 13:
		p.report("%v", p.f.savepoint(func() error {
			p.f.nodeDelete(other)
			if p.rng.IntN(2) == 0 {
				p.f.nodeAssign(map[string]*node{k: p.fresh(), other: p.fresh()})
			} else {
				p.f.nodeClear()
			}
			return errUndo
		}))
	}
}

// nest opens a savepoint, or runs branches.
func (p *program) nest() {
	if p.deep == 2 {
		return
	}
	p.deep++
	defer func() { p.deep-- }()
	if p.rng.IntN(2) == 0 {
		err := p.f.savepoint(func() error {
			for range p.rng.IntN(6) {
				p.step()
			}
			if p.rng.IntN(2) == 0 {
				return errUndo
			}
			return nil
		})
		p.report("savepoint %v", err)
		return
	}
	var logs [3]strings.Builder
	var bodies []func(fields) error
	var inner [3]*program
	for i := range 1 + p.rng.IntN(3) {
		seed := p.rng.Uint64()
		bodies = append(bodies, func(f fields) error {
			inner[i] = &program{f: f, rng: rand.New(rand.NewPCG(seed, 1)), log: &logs[i], deep: 2}
			for range 1 + inner[i].rng.IntN(4) {
				inner[i].step()
			}
			if inner[i].rng.IntN(5) == 0 {
				return fmt.Errorf("branch %d", i)
			}
			return nil
		})
	}
	err := p.f.branches(bodies...)
	p.report("branches %v", err)
	for i := range bodies {
		p.report("%s", logs[i].String())
		for _, n := range inner[i].held {
			p.hold(n) // objects that a branch found are used after it
		}
	}
}

func (p *program) scalarStep() {
	k := p.rng.IntN(5) - 2
	switch p.rng.IntN(13) {
	case 0:
		n, ok := p.f.count(k)
		p.report("count %d %v", n, ok)
	case 1:
		p.f.countSet(k, p.rng.IntN(10))
	case 2, 3:
		p.f.countAdd(k, p.rng.IntN(3)-1)
	case 4:
		p.f.countUpdate(k, func(n int) int { return 2 * n })
	case 5:
		p.f.countDelete(k)
	case 6:
		stop := p.rng.IntN(6)
		p.f.countEach(func(k, n int) bool {
			p.report("counts %d %d", k, n)
			if p.rng.IntN(3) == 0 {
				p.f.countAdd(k, 5)
			}
			switch p.rng.IntN(10) {
			case 0, 1:
				p.f.countDelete(p.rng.IntN(5) - 2)
			case 2:
				p.f.countAdd(p.rng.IntN(5)-2, 1)
			case 3:
				p.f.countUpdate(p.rng.IntN(5)-2, func(n int) int { return n - 1 })
			}
			stop--
			return stop != 0
		})
	case 7:
		p.report("counts %d", p.f.countLen())
	case 12:
		p.f.countClear()
	case 8:
		p.f.totalAdd(3)
	case 9:
		p.report("total %d", p.f.total())
	case 10:
		p.f.totalSet(p.rng.IntN(50))
	case 11:
		c := p.f.config()
		p.report("config %s", p.show(&c))
		p.mutate(p.f.configRef())
	}
}

func (p *program) lineStep() {
	n := p.f.lineLen()
	i := p.rng.IntN(max(n, 1))
	tag := func() []string { return []string{"v" + strconv.Itoa(p.rng.IntN(9))} }
	switch p.rng.IntN(14) {
	case 0, 1:
		p.f.lineAppend(item{Name: "n", Tags: tag()})
	case 2:
		p.f.lineAppend(item{}, item{Tags: []string{}})
	case 3:
		if n > 0 {
			p.report("line %v", p.f.lineGet(i))
		}
	case 4:
		if n > 0 {
			p.f.lineSet(i, item{Name: "s", Tags: tag()})
		}
	case 5:
		if n > 0 {
			p.f.lineRef(i).Name += "r"
		}
	case 6:
		if n > 0 && len(p.f.lineGet(i).Tags) > 0 {
			p.f.lineGet(i).Tags[0] += "g"
		}
	case 7:
		p.f.lineTruncate(p.rng.IntN(n + 1))
	case 8:
		p.report("line %d %v %q", n, p.f.lineIsNil(), p.f.lineLoad())
	case 9:
		if p.rng.IntN(3) == 0 {
			p.f.lineAssign([][]item{nil, {}, {{Name: "one"}, {Name: "two", Tags: tag()}}}[p.rng.IntN(3)])
		}
	case 10:
		if p.rng.IntN(4) == 0 {
			p.f.lineClear()
		}
	case 11:
		stop := p.rng.IntN(6)
		p.f.lineEach(func(i int, v item) bool {
			p.report("line %d %v", i, v)
			switch p.rng.IntN(6) {
			case 0:
				p.f.lineTruncate(p.rng.IntN(p.f.lineLen() + 1))
			case 1:
				p.f.lineAssign([]item{{Name: "new"}})
			case 2:
				if n := p.f.lineLen(); n > 0 {
					p.f.lineRef(p.rng.IntN(n)).Name += "e"
				}
			}
			stop--
			return stop != 0
		})
	case 12:
		k := p.key()
		p.report("item %v", p.f.itemGet(k))
		p.f.itemSet(k, item{Name: k, Tags: tag()})
	case 13:
		k := p.key()
		if it := p.f.itemGet(k); len(it.Tags) > 0 {
			it.Tags[0] += "i"
		}
		if p.rng.IntN(3) == 0 {
			p.f.itemDelete(p.key())
		}
		p.f.itemEach(func(k string, v item) bool {
			p.report("items %s %v", k, v)
			return p.rng.IntN(4) > 0
		})
	}
}

func (p *program) queueStep() {
	n := p.f.queueLen()
	i := p.rng.IntN(max(n, 1))
	switch p.rng.IntN(8) {
	case 0, 1:
		p.f.queueAppend(p.fresh())
	case 2, 3:
		if n > 0 {
			v := p.f.queueGet(i)
			p.report("queue %s", p.show(v))
			p.hold(v)
		}
	case 4:
		if n > 0 {
			p.mutate(p.f.queueGet(i))
		}
	case 5:
		if n > 0 {
			p.f.queueSet(i, p.fresh())
		}
	case 6:
		p.f.queueTruncate(p.rng.IntN(n + 1))
	case 7:
		p.f.queueEach(func(i int, v *node) bool {
			p.report("queue %d %s", i, p.show(v))
			if p.rng.IntN(4) == 0 {
				p.mutate(v)
			}
			return p.rng.IntN(6) > 0
		})
	}
}

// request runs one random program on f.
func request(f fields, seed uint64, log *strings.Builder) error {
	p := &program{f: f, rng: rand.New(rand.NewPCG(seed, 0)), log: log}
	for range p.rng.IntN(25) {
		p.step()
	}
	if p.rng.IntN(4) == 0 {
		return errAbort
	}
	return nil
}

func seedOf(t *testing.T) uint64 {
	seed := rand.Uint64()
	if s := os.Getenv("ONEFOLD_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	t.Logf("seed %d (set ONEFOLD_SEED to repeat)", seed)
	return seed
}

func TestModel(t *testing.T) {
	rounds, requests := 60, 25
	if testing.Short() {
		rounds = 15
	}
	rng := rand.New(rand.NewPCG(seedOf(t), 0))
	shared, restarts := 0, uint64(0)
	for range rounds {
		for _, sequential := range []bool{false, true} {
			s, r := testModel(t, rng, atomic.Options{Sequential: sequential}, requests)
			shared, restarts = shared+s, restarts+r
		}
	}
	if shared == 0 || restarts == 0 {
		t.Errorf("%d requests shared an object and %d restarted; the test has lost its aim", shared, restarts)
	}
}

// testModel compares a sequence of requests on a new store. It returns how many
// were refused for sharing an object, and how many began again in program order.
func testModel(t *testing.T, rng *rand.Rand, opts atomic.Options, requests int) (refused int, restarts uint64) {
	r := atomic.NewRunner(openEngine(t), opts)
	committed := &plain{}
	committed.init()
	if err := r.Init(context.Background(), committed.initInto); err != nil {
		t.Fatal(err)
	}
	for range requests {
		seed := rng.Uint64()
		var want strings.Builder
		model := committed.clone()
		before := model.clone()
		wantErr := request(model, seed, &want)
		if wantErr != nil {
			model = before
		}
		var got strings.Builder
		reply, err := run(r, func(ctx context.Context, b *box) error {
			got.Reset()
			return request(&handles{b, ctx}, seed, &got)
		})
		var shared *atomic.SharedError
		if errors.As(err, &shared) && model.shares() {
			refused++
			continue // and the model stays what it was
		}
		if err != nil {
			t.Fatalf("request %d: %v\n%s", seed, err, got.String())
		}
		if diff := cmp.Diff(want.String(), got.String()); diff != "" {
			t.Fatalf("request %d: report (-want +got):\n%s", seed, diff)
		}
		if !errors.Is(reply.Err, wantErr) {
			t.Fatalf("request %d: error %v, want %v", seed, reply.Err, wantErr)
		}
		if model.shares() && wantErr == nil {
			t.Fatalf("request %d: committed, though two places share an object", seed)
		}
		committed = model.clone()
		if diff := cmp.Diff(committed.dump(), read(t, r)); diff != "" {
			t.Fatalf("request %d: state (-want +got):\n%s", seed, diff)
		}
	}
	return refused, r.Stats().Restarts
}
