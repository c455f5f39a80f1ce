// Package echo is a service of gRPC, described by hand.
package echo

import (
	"context"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Server answers with what it is sent.
type Server struct{}

// Service describes the service, with a unary method and a stream.
var Service = grpc.ServiceDesc{
	ServiceName: "corpus.Echo",
	HandlerType: (*any)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Unary", Handler: unary}},
	Streams:     []grpc.StreamDesc{{StreamName: "Stream", Handler: stream, ServerStreams: true, ClientStreams: true}},
}

func unary(srv any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
	in := new(wrapperspb.StringValue)
	if err := decode(in); err != nil {
		return nil, err
	}
	handler := func(context.Context, any) (any, error) { return in, nil }
	if interceptor == nil {
		return handler(ctx, in)
	}
	return interceptor(ctx, in, &grpc.UnaryServerInfo{Server: srv, FullMethod: "/corpus.Echo/Unary"}, handler)
}

func stream(_ any, s grpc.ServerStream) error {
	for {
		in := new(wrapperspb.StringValue)
		switch err := s.RecvMsg(in); err {
		case nil:
			if err := s.SendMsg(in); err != nil {
				return err
			}
		case io.EOF:
			return nil
		default:
			return err
		}
	}
}

// Interceptor is an interceptor that a server has already.
func Interceptor(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	return handler(ctx, req)
}
