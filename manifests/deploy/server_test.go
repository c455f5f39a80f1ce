package deploy

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// apiServer is as much of Kubernetes' API as deployments use, in memory. The real
// one is in the end-to-end tests.
type apiServer struct {
	mu         sync.Mutex
	objects    map[string]map[string]any // by path
	version    int
	control    func(path string, o map[string]any) // a controller: sets the status of what was written
	refuse     func(path string) string            // says what is wrong with an object
	withoutAPI string                              // prefix of paths that the server does not know
	pod        string                              // address that ports of pods are forwarded to
}

type object = map[string]any

// newCluster returns a server and a connection to it.
func newCluster(t *testing.T, out io.Writer) (*apiServer, *Cluster) {
	t.Helper()
	s := &apiServer{objects: map[string]map[string]any{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.CloseClientConnections)
	t.Cleanup(server.Close)
	c, err := New(&rest.Config{Host: server.URL, ContentConfig: rest.ContentConfig{ContentType: "application/json"}}, "default", out)
	if err != nil {
		t.Fatal(err)
	}
	c.every, c.window = 5*time.Millisecond, 10*time.Millisecond
	return s, c
}

func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	if s.withoutAPI != "" && strings.HasPrefix(path, s.withoutAPI) {
		http.NotFound(w, r)
		return
	}
	if strings.HasSuffix(path, "/portforward") {
		forwardPort(w, r, s.pod)
		return
	}
	if r.URL.Query().Get("watch") != "" {
		s.watch(w, r)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var body object
	if r.Method != http.MethodGet {
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	switch r.Method {
	case http.MethodGet:
		s.get(w, path)
	case http.MethodPost:
		path += "/" + body["metadata"].(object)["name"].(string)
		if s.objects[path] != nil {
			status(w, http.StatusConflict, "AlreadyExists", "is there already")
			return
		}
		s.put(w, path, body)
	default:
		if s.refuse != nil {
			if message := s.refuse(path); message != "" {
				status(w, http.StatusUnprocessableEntity, "Invalid", message)
				return
			}
		}
		s.put(w, path, body)
	}
}

func status(w http.ResponseWriter, code int, reason, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(object{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message, "code": code})
}

// get answers with an object, a log, or a list of what is below a path.
func (s *apiServer) get(w http.ResponseWriter, path string) {
	o, ok := s.objects[path]
	log, isLog := o["log"]
	switch parts := strings.Split(path, "/"); {
	case isLog:
		fmt.Fprint(w, log)
		return
	case ok:
	case parts[len(parts)-2] == "default":
		items := []any{}
		for name, o := range s.objects {
			if strings.HasPrefix(name, path+"/") && o["log"] == nil {
				items = append(items, o)
			}
		}
		kind := map[string]string{"pods": "PodList", "events": "EventList"}[parts[len(parts)-1]]
		o = object{"kind": kind, "apiVersion": "v1", "metadata": object{"resourceVersion": fmt.Sprint(s.version)}, "items": items}
	default:
		status(w, http.StatusNotFound, "NotFound", "not found")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(o)
}

// put stores an object as the API would: status stays, generations count.
func (s *apiServer) put(w http.ResponseWriter, path string, o object) {
	s.version++
	metadata := o["metadata"].(object)
	old := s.objects[path]
	generation := 1.0
	if old != nil {
		o["status"] = old["status"]
		generation = old["metadata"].(object)["generation"].(float64)
		if !reflect.DeepEqual(old["spec"], o["spec"]) {
			generation++
		}
	}
	metadata["generation"], metadata["resourceVersion"] = generation, fmt.Sprint(s.version)
	if s.control != nil {
		s.control(path, o)
	}
	s.objects[path] = o
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(o)
}

// watch sends the object that the field selector names when it changes.
func (s *apiServer) watch(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Query().Get("fieldSelector"), "metadata.name=")
	last := r.URL.Query().Get("resourceVersion")
	w.Header().Set("Content-Type", "application/json")
	w.(http.Flusher).Flush()
	for r.Context().Err() == nil {
		s.mu.Lock()
		o := s.objects[r.URL.Path+"/"+name]
		if now, _ := o["metadata"].(object)["resourceVersion"].(string); now != last {
			last = now
			json.NewEncoder(w).Encode(object{"type": "MODIFIED", "object": o})
			w.(http.Flusher).Flush()
		}
		s.mu.Unlock()
		time.Sleep(2 * time.Millisecond)
	}
}

// change changes an object as a controller does.
func (s *apiServer) change(path string, fn func(o object)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	fn(s.objects[path])
	s.objects[path]["metadata"].(object)["resourceVersion"] = fmt.Sprint(s.version)
}

func (s *apiServer) object(path string) object {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.objects[path]
}
