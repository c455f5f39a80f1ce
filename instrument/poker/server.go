package poker

import (
	"bufio"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/onefold/onefold/instrument/precise"
	"github.com/onefold/onefold/instrument/slowpoke/page"
)

// helloTime is how long a client may take to say who it is.
const helloTime = 5 * time.Second

// Server serves the control channel of one service.
type Server struct {
	Info   Info
	Token  string
	Page   *page.Page
	Notify *os.File // of Page
	Pauser *Pauser
	Meter  *Meter

	mu      sync.Mutex
	current *session // at most one client
}

// Serve serves until the listener is closed.
func (s *Server) Serve(l net.Listener) error {
	if l.Addr().Network() != "unix" && s.Token == "" {
		return errors.New("a control channel that others can reach needs a token")
	}
	go s.watchPage()
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		go s.serve(conn)
	}
}

// session is one client.
type session struct {
	server     *Server
	conn       net.Conn
	experiment string

	writing sync.Mutex
	mu      sync.Mutex
	batch   int
	phases  uint64 // told so far
	last    uint64 // phase of the last pause
}

// serve serves one client to its end; what it has changed is undone then.
func (s *Server) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewScanner(conn)
	in.Buffer(make([]byte, 0, longestLine), longestLine)
	sess := &session{server: s, conn: conn}
	_ = conn.SetReadDeadline(time.Now().Add(helloTime))
	if !in.Scan() || !sess.hello(in.Bytes()) {
		return
	}
	defer s.leave(sess)
	_ = conn.SetReadDeadline(time.Time{})
	for in.Scan() {
		var req request
		if err := json.Unmarshal(in.Bytes(), &req); err != nil {
			sess.send(reply{ID: req.ID, Error: "not a request: " + err.Error()})
			continue
		}
		sess.handle(req)
	}
}

// hello checks a client's first line and takes the place of the one client.
func (c *session) hello(line []byte) bool {
	var req request
	if err := json.Unmarshal(line, &req); err != nil || req.Do != doHello {
		c.send(reply{ID: req.ID, Error: "the first request must be a hello"})
		return false
	}
	s := c.server
	if subtle.ConstantTimeCompare([]byte(req.Token), []byte(s.Token)) != 1 {
		c.send(reply{ID: req.ID, Error: "wrong token"})
		return false
	}
	c.experiment = req.Experiment
	s.mu.Lock()
	busy := s.current
	if busy == nil {
		s.current = c
	}
	s.mu.Unlock()
	if busy != nil {
		c.send(reply{ID: req.ID, Error: fmt.Sprintf("busy with experiment %q", busy.experiment)})
		return false
	}
	c.send(reply{ID: req.ID, Info: &s.Info})
	return true
}

// leave continues the service, whatever the client left it in.
func (s *Server) leave(c *session) {
	s.Page.SetBatch(0, "")
	s.Pauser.Release()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = nil
}

func (c *session) handle(req request) {
	if req.Experiment != "" && req.Experiment != c.experiment {
		c.send(reply{ID: req.ID, Error: fmt.Sprintf("this is experiment %q, not %q", c.experiment, req.Experiment)})
		return
	}
	switch req.Do {
	case doStats:
		stats := c.server.stats()
		c.send(reply{ID: req.ID, Stats: &stats})
	case doWork:
		work := c.server.work()
		c.send(reply{ID: req.ID, Work: &work})
	case doWatch:
		c.watch(req)
	case doPause:
		c.pause(req)
	default:
		c.send(reply{ID: req.ID, Error: fmt.Sprintf("unknown request %q", req.Do)})
	}
}

func (c *session) watch(req request) {
	if req.Batch < 0 {
		c.send(reply{ID: req.ID, Error: "a batch cannot be negative"})
		return
	}
	r := reply{ID: req.ID}
	c.mu.Lock()
	c.batch, c.phases = req.Batch, 0
	if !c.server.Page.SetBatch(req.Batch, req.Route) {
		c.batch = 0
		r.Error = fmt.Sprintf("the service has had no request of route %q", req.Route)
	}
	c.mu.Unlock()
	c.send(r)
}

// pause makes a pause. Each phase has one; what comes twice or late is refused.
func (c *session) pause(req request) {
	c.mu.Lock()
	stale := req.Phase <= c.last
	if !stale {
		c.last = req.Phase
	}
	c.mu.Unlock()
	if stale {
		c.send(reply{ID: req.ID, Error: fmt.Sprintf("phase %d is over", req.Phase)})
		return
	}
	c.server.Pauser.Pause(req.Phase, time.Duration(req.Nanos), func(in Interval, err error) {
		r := reply{ID: req.ID, Interval: &in}
		if err != nil {
			r.Error = err.Error()
		}
		c.send(r)
	})
}

// send writes one line. A client that does not read is cut off: the pauser must not
// wait for it.
func (c *session) send(r reply) {
	line, err := json.Marshal(r)
	if err != nil {
		panic("poker: encode reply: " + err.Error()) // plain data
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	_ = c.conn.SetWriteDeadline(time.Now().Add(time.Second))
	if _, err := c.conn.Write(append(line, '\n')); err != nil {
		c.conn.Close() // ends the session's reading
	}
}

// watchPage waits for the service's wakes and tells the client of full batches. The
// count in the page is the truth: wakes may be merged.
func (s *Server) watchPage() {
	buf := make([]byte, 512)
	for {
		if _, err := s.Notify.Read(buf); err != nil {
			return
		}
		s.mu.Lock()
		c := s.current
		s.mu.Unlock()
		if c != nil {
			c.tell()
		}
	}
}

// tell sends the phases that are new.
func (c *session) tell() {
	c.mu.Lock()
	var news []Phase
	if target := c.server.Page.Target(); c.batch > 0 {
		for uint64(target)/uint64(c.batch) > c.phases {
			c.phases++
			news = append(news, Phase{Number: c.phases, Target: target})
		}
	}
	c.mu.Unlock()
	if len(news) == 0 {
		return
	}
	work := c.server.work()
	for _, p := range news {
		p.Work = work
		c.send(reply{Phase: &p})
	}
}

// work is the quick part of stats.
func (s *Server) work() Work {
	w := Work{Clock: precise.Now(), Done: s.Page.Busy()}
	if w.Done > 0 {
		return w
	}
	w.Done = s.Meter.Used()
	return w
}

func (s *Server) stats() Stats {
	quota := quotaOf(s.Info.Group) // this takes its time
	// What is divided by each other is read together.
	st := Stats{Clock: precise.Now(), Processor: s.Meter.Used(), Busy: s.Page.Busy(), Counts: s.Page.Counts()}
	st.Paused, st.Target, st.Attached, st.Quota = s.Page.Paused(), s.Page.Target(), len(st.Counts) > 0, quota
	return st
}
