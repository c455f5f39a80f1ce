// Package calls is clients that net/http has no such thing for.
package calls

import (
	"context"
	"fmt"
	"io"

	"example.com/corpus/echo"
	"github.com/gorilla/websocket"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Websocket sends a message and wants it back.
func Websocket(addr string) error {
	conn, _, err := websocket.DefaultDialer.Dial("ws://"+addr+"/ws", nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
		return err
	}
	if _, message, err := conn.ReadMessage(); err != nil || string(message) != "hello" {
		return fmt.Errorf("read %q, %v", message, err)
	}
	return nil
}

// Echo calls each method of the gRPC service, the unary one from two clients.
func Echo(addr string) error {
	for _, dial := range []func(string, ...grpc.DialOption) (*grpc.ClientConn, error){grpc.NewClient, grpc.Dial} {
		conn, err := dial(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return err
		}
		defer conn.Close()
		out := new(wrapperspb.StringValue)
		if err := conn.Invoke(context.Background(), "/corpus.Echo/Unary", wrapperspb.String("hello"), out); err != nil || out.Value != "hello" {
			return fmt.Errorf("echo %q, %v", out.Value, err)
		}
	}
	conn, err := grpc.DialContext(context.Background(), addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	return stream(conn)
}

func stream(conn *grpc.ClientConn) error {
	s, err := conn.NewStream(context.Background(), &echo.Service.Streams[0], "/corpus.Echo/Stream")
	if err != nil {
		return err
	}
	for range 3 {
		if err := s.SendMsg(wrapperspb.String("hello")); err != nil {
			return err
		}
		if err := s.RecvMsg(new(wrapperspb.StringValue)); err != nil {
			return err
		}
	}
	if err := s.CloseSend(); err != nil {
		return err
	}
	if err := s.RecvMsg(new(wrapperspb.StringValue)); err != io.EOF {
		return fmt.Errorf("the stream ends with %v", err)
	}
	return nil
}
