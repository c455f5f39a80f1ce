package synth

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"

	"github.com/onefold/onefold/instrument/load"
	"github.com/onefold/onefold/instrument/slowpoke/slowgrpc"
)

// endpointKey is the metadata that holds the number of an endpoint: all of them are
// one method, gRPC's own for tests.
const endpointKey = "endpoint"

// Mix returns the load of a topology whose first service is at an address.
func Mix(address string, gRPC bool) *load.Mix {
	if !gRPC {
		return &load.Mix{Target: "http://" + address, Requests: []load.Request{{Path: "/0"}}}
	}
	return &load.Mix{Target: address, Protocol: load.GRPC, Requests: []load.Request{
		{RPC: "grpc.testing.TestService/EmptyCall", Headers: map[string]string{endpointKey: "0"}},
	}}
}

// grpcServer serves the endpoints of a service.
type grpcServer struct {
	grpc_testing.UnimplementedTestServiceServer
	service *Service
}

func (g grpcServer) EmptyCall(ctx context.Context, _ *grpc_testing.Empty) (*grpc_testing.Empty, error) {
	endpoint, err := strconv.Atoi(strings.Join(metadata.ValueFromIncomingContext(ctx, endpointKey), ""))
	if err != nil || endpoint < 0 || endpoint >= len(g.service.Topology.Endpoints) {
		return nil, status.Error(codes.InvalidArgument, "want the number of an endpoint")
	}
	return &grpc_testing.Empty{}, g.service.serve(ctx, endpoint)
}

// runGRPC serves gRPC, and what is not gRPC with other, at one address.
func (s *Service) runGRPC(other http.Handler) error {
	server := grpc.NewServer(slowgrpc.ServerOptions()...)
	grpc_testing.RegisterTestServiceServer(server, grpcServer{service: s})
	reflection.Register(server)
	s.calls = &grpcCaller{connections: map[string]*grpc.ClientConn{}}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return (&http.Server{
		Addr: s.Addresses[s.Service], Protocols: protocols,
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 4096},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
				server.ServeHTTP(w, r)
				return
			}
			other.ServeHTTP(w, r)
		}),
	}).ListenAndServe()
}

// grpcCaller has one connection to each service.
type grpcCaller struct {
	mu          sync.Mutex
	connections map[string]*grpc.ClientConn
}

func (c *grpcCaller) call(ctx context.Context, address string, endpoint int) error {
	conn, err := c.connection(address)
	if err != nil {
		return err
	}
	ctx = metadata.AppendToOutgoingContext(ctx, endpointKey, strconv.Itoa(endpoint))
	_, err = grpc_testing.NewTestServiceClient(conn).EmptyCall(ctx, &grpc_testing.Empty{})
	return err
}

func (c *grpcCaller) connection(address string) (*grpc.ClientConn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if conn := c.connections[address]; conn != nil {
		return conn, nil
	}
	conn, err := grpc.NewClient(address, append(slowgrpc.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err == nil {
		c.connections[address] = conn
	}
	return conn, err
}
