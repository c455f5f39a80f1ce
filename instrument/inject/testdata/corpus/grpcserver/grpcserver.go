// Package grpcserver serves gRPC, and calls it.
//
//corpus:want grpc GET / 0: 2 /corpus.Echo/Unary + /corpus.Echo/Stream + 3 edge
package grpcserver

import (
	"net"

	"example.com/corpus/echo"
	"google.golang.org/grpc"
)

func Main(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	s := grpc.NewServer(grpc.UnaryInterceptor(echo.Interceptor))
	s.RegisterService(&echo.Service, echo.Server{})
	return s.Serve(l)
}
