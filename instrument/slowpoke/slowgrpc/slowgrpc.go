// Package slowgrpc measures gRPC servers and clients as package slowpoke measures
// HTTP. A method is a route; a call goes to the target that its connection was made
// for.
package slowgrpc

import (
	"context"

	"google.golang.org/grpc"

	"github.com/onefold/onefold/instrument/slowpoke"
)

// ServerOptions returns the interceptors of a server: grpc.NewServer(ServerOptions()...).
func ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{grpc.ChainUnaryInterceptor(unaryServer), grpc.ChainStreamInterceptor(streamServer)}
}

// DialOptions returns the interceptors of a client.
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithChainUnaryInterceptor(unaryClient), grpc.WithChainStreamInterceptor(streamClient)}
}

// NewServer is for grpc.NewServer as onefold instrument finds it.
func NewServer(newServer func(...grpc.ServerOption) *grpc.Server) func(...grpc.ServerOption) *grpc.Server {
	return func(opts ...grpc.ServerOption) *grpc.Server {
		return newServer(append(ServerOptions(), opts...)...)
	}
}

// NewClient is for grpc.NewClient and grpc.Dial.
func NewClient(dial func(string, ...grpc.DialOption) (*grpc.ClientConn, error)) func(string, ...grpc.DialOption) (*grpc.ClientConn, error) {
	return func(target string, opts ...grpc.DialOption) (*grpc.ClientConn, error) {
		return dial(target, append(DialOptions(), opts...)...)
	}
}

// DialContext is for grpc.DialContext.
func DialContext(dial func(context.Context, string, ...grpc.DialOption) (*grpc.ClientConn, error)) func(context.Context, string, ...grpc.DialOption) (*grpc.ClientConn, error) {
	return func(ctx context.Context, target string, opts ...grpc.DialOption) (*grpc.ClientConn, error) {
		return dial(ctx, target, append(DialOptions(), opts...)...)
	}
}

func unaryServer(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	count(ctx, info.FullMethod)
	return handler(ctx, req)
}

func streamServer(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	count(stream.Context(), info.FullMethod)
	return handler(srv, stream)
}

// count leaves out what gRPC servers do beside their work, and what an HTTP server
// has passed on and counted.
func count(ctx context.Context, method string) {
	if slowpoke.Measured(method) && !slowpoke.Counted(ctx) {
		slowpoke.Request(method)
	}
}

func unaryClient(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	if slowpoke.Measured(method) {
		slowpoke.Call(conn.Target())
	}
	return invoke(ctx, method, req, reply, conn, opts...)
}

func streamClient(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, stream grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	if slowpoke.Measured(method) {
		slowpoke.Call(conn.Target())
	}
	return stream(ctx, desc, conn, method, opts...)
}
