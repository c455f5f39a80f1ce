package slowgrpc_test

import (
	"context"
	"io"
	"net"
	"os"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/onefold/onefold/instrument/slowpoke/page"
	"github.com/onefold/onefold/instrument/slowpoke/slowgrpc"
)

// poker is the poker's side of the page of this process.
var poker *page.Page

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "slowgrpc")
	if err != nil {
		panic(err)
	}
	if poker, _, err = page.Create(dir); err != nil {
		panic(err)
	}
	os.Setenv(page.Env, dir)
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

type testServer struct {
	testpb.UnimplementedTestServiceServer
}

func (testServer) EmptyCall(context.Context, *testpb.Empty) (*testpb.Empty, error) {
	return &testpb.Empty{}, nil
}

func (testServer) FullDuplexCall(stream testpb.TestService_FullDuplexCallServer) error {
	for {
		if _, err := stream.Recv(); err != nil {
			return nil // the client is done
		}
	}
}

// TestCounts: methods count once a call or stream, calls by target; health checks
// do not.
func TestCounts(t *testing.T) {
	counts := func() map[string]int64 {
		m := map[string]int64{}
		for _, c := range poker.Counts() {
			m[c.Kind+" "+c.Name] = c.Value
		}
		return m
	}
	before := counts()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(slowgrpc.ServerOptions()...)
	healthpb.RegisterHealthServer(server, health.NewServer())
	testpb.RegisterTestServiceServer(server, testServer{})
	go server.Serve(listener)
	defer server.Stop()
	conn, err := grpc.NewClient(listener.Addr().String(), append(slowgrpc.DialOptions(),
		grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx := context.Background()
	client := testpb.NewTestServiceClient(conn)
	for range 3 {
		if _, err := client.EmptyCall(ctx, &testpb.Empty{}); err != nil {
			t.Fatal(err)
		}
		if _, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	stream, err := client.FullDuplexCall(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 { // messages of one stream are one request
		if err := stream.Send(&testpb.StreamingOutputCallRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != io.EOF {
		t.Fatalf("end of stream: %v", err)
	}
	want := map[string]int64{
		"r /grpc.testing.TestService/EmptyCall": 3, "r /grpc.testing.TestService/FullDuplexCall": 1, "e " + conn.Target(): 4,
	}
	for name, n := range counts() {
		if n != before[name]+want[name] {
			t.Errorf("%s counted %d times, want %d", name, n-before[name], want[name])
		}
		delete(want, name)
	}
	if len(want) != 0 {
		t.Errorf("not counted: %v", want)
	}
}
