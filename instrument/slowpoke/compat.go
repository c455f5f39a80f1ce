package slowpoke

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// compat is the protocol of the original Slowpoke, spoken where its poker's FIFOs
// are in the environment, so that deployments made for it can be compared: every
// service adds up a delay a request; the target begins a phase after each batch; the
// phase floods over the calls that services make, and each service pauses for what
// it has added up. There are no experiments by the driver then.
type compat struct {
	name      string
	delay     time.Duration // a request
	target    bool
	threshold int // requests between two phases
	port      string
	orders    *os.File // to the poker: nanoseconds
	tokens    *os.File // from it: the pause is over

	mu         sync.Mutex // held in pauses: who enters waits, as all of the service does
	owed       time.Duration
	requests   int
	phase      int
	neighbours map[string]chan<- int // phases to send on, by host
}

// The original's variables and port. SLOWPOKE_PRERUN is of no use here: requests
// are always counted.
const (
	compatFIFO      = "SLOWPOKE_FIFO_PATH"
	compatTokens    = "SLOWPOKE_FIFO_RECOVER_PATH"
	compatDelay     = "SLOWPOKE_DELAY_MICROS"
	compatTarget    = "SLOWPOKE_IS_TARGET_SERVICE"
	compatThreshold = "SLOWPOKE_POKER_BATCH_THRESHOLD"
	compatName      = "SLOWPOKE_SERV_NAME"
	compatPort      = "5550"
	// What the original takes for a batch if none is given, it never reaches.
	compatBatch = 20_000_000
)

// original is the compat of this process, nil without the original's FIFOs.
var original = sync.OnceValue(func() *compat {
	if os.Getenv(compatFIFO) == "" {
		return nil
	}
	c, err := newCompat(os.Getenv)
	if err == nil {
		err = c.listen(":" + c.port)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "slowpoke: no pauses: %v\n", err)
		return nil
	}
	return c
})

// newCompat reads the environment and shakes hands with the poker.
func newCompat(env func(string) string) (*compat, error) {
	c := &compat{
		name: env(compatName), target: env(compatTarget) == "true", port: compatPort,
		threshold: int(number(env(compatThreshold), compatBatch)),
		delay:     time.Duration(number(env(compatDelay), 0)) * time.Microsecond, neighbours: map[string]chan<- int{},
	}
	var err error
	if c.orders, err = os.OpenFile(env(compatFIFO), os.O_WRONLY, 0); err != nil {
		return nil, err
	}
	if err := binary.Write(c.orders, binary.LittleEndian, int64(0)); err != nil {
		return nil, err
	}
	if c.tokens, err = os.OpenFile(env(compatTokens), os.O_RDONLY, 0); err != nil {
		return nil, err
	}
	_, err = io.ReadFull(c.tokens, make([]byte, 8))
	return c, err
}

// number reads the whole part of a number, as the original does.
func number(text string, otherwise int64) int64 {
	whole, _, _ := strings.Cut(text, ".")
	if n, err := strconv.ParseInt(whole, 10, 64); err == nil && n >= 0 {
		return n
	}
	return otherwise
}

// request adds the delay of a request; at the target it may begin a phase.
func (c *compat) request() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owed += c.delay
	c.requests++
	if c.target && c.requests > c.threshold {
		c.enter(c.phase + 1)
	}
}

// enter takes part in a phase, once. The lock is held.
func (c *compat) enter(phase int) {
	if phase <= c.phase {
		return
	}
	owed := c.owed
	c.phase, c.owed, c.requests = phase, 0, 0
	for _, send := range c.neighbours {
		select {
		case send <- phase:
		default: // a neighbour that does not read catches up with a later phase
		}
	}
	if err := binary.Write(c.orders, binary.LittleEndian, int64(owed)); err != nil {
		return // the poker is gone, and with it the service
	}
	_, _ = io.ReadFull(c.tokens, make([]byte, 8))
}

// message is a line between two services.
type message struct {
	Type    string `json:"type"` // register or pause
	Payload struct {
		Endpoint string `json:"endpoint,omitempty"`
		Phase    int    `json:"phase,omitempty"`
	} `json:"payload"`
}

// call learns a neighbour from a call to it: phases go there from now on, and it is
// asked to send its phases here.
func (c *compat) call(callee string) {
	host, _, err := net.SplitHostPort(callee)
	if err != nil {
		host = callee
	}
	c.meet(host, true)
}

// meet makes a neighbour of a host that is none yet.
func (c *compat) meet(host string, register bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.neighbours[host]; known || host == "" || len(c.neighbours) >= most {
		return
	}
	phases := make(chan int, 16)
	c.neighbours[host] = phases
	go c.talk(host, register, phases)
}

// talk sends phases to a neighbour, and connects again when it has to.
func (c *compat) talk(host string, register bool, phases <-chan int) {
	for {
		if conn, err := net.DialTimeout("tcp", net.JoinHostPort(host, c.port), time.Second); err == nil {
			c.converse(conn, register, phases)
			conn.Close()
		}
		time.Sleep(time.Second)
	}
}

// converse returns when the connection fails.
func (c *compat) converse(conn net.Conn, register bool, phases <-chan int) {
	out := json.NewEncoder(conn) // a line each
	if register {
		m := message{Type: "register"}
		m.Payload.Endpoint = c.name
		if out.Encode(m) != nil {
			return
		}
	}
	for phase := range phases {
		m := message{Type: "pause"}
		m.Payload.Phase = phase
		if out.Encode(m) != nil {
			return
		}
	}
}

// listen takes registrations and phases from neighbours.
func (c *compat) listen(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go c.hear(conn)
		}
	}()
	return nil
}

func (c *compat) hear(conn net.Conn) {
	defer conn.Close()
	const longest = 4096
	in := bufio.NewScanner(conn)
	in.Buffer(make([]byte, 0, longest), longest)
	for in.Scan() {
		var m message
		if json.Unmarshal(in.Bytes(), &m) != nil {
			return
		}
		switch m.Type {
		case "register":
			c.meet(m.Payload.Endpoint, false)
		case "pause":
			c.mu.Lock()
			c.enter(m.Payload.Phase)
			c.mu.Unlock()
		}
	}
}
