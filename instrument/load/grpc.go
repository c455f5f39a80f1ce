package load

import (
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	reflection "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/google/uuid"
)

// connections is how many connections gRPC requests share. A connection carries a
// limited number of streams, and one reader goroutine at each end.
const connections = 4

// grpcSender sends one kind of request over gRPC.
type grpcSender struct {
	connections []*grpc.ClientConn
	method      string
	input       protoreflect.MessageDescriptor
	output      protoreflect.MessageDescriptor
	body        template
	headers     []header
	keys        bool
	timeout     time.Duration
}

// newGRPC connects, and asks the server by reflection for the types of the mix.
func newGRPC(ctx context.Context, m *Mix, opts Options) (senders []sender, closeAll func(), err error) {
	target, secure := strings.CutPrefix(m.Target, "https://")
	target = strings.TrimPrefix(target, "http://")
	creds := insecure.NewCredentials()
	if secure {
		creds = credentials.NewTLS(&tls.Config{})
	}
	var conns []*grpc.ClientConn
	disconnect := func() {
		for _, c := range conns {
			c.Close() // nothing is under way any more
		}
	}
	defer func() {
		if err != nil {
			disconnect()
		}
	}()
	for range connections {
		c, err := grpc.NewClient(target, grpc.WithTransportCredentials(creds))
		if err != nil {
			return nil, nil, fmt.Errorf("gRPC target %q: %w", m.Target, err)
		}
		conns = append(conns, c)
	}
	ctx, cancel := context.WithTimeout(ctx, opts.Timeout)
	defer cancel()
	for i := range m.Requests {
		s, err := newGRPCSender(ctx, conns, &m.Requests[i], opts)
		if err != nil {
			return nil, nil, fmt.Errorf("request %s: %w", m.Requests[i].Name, err)
		}
		senders = append(senders, s)
	}
	return senders, disconnect, nil
}

func newGRPCSender(ctx context.Context, conns []*grpc.ClientConn, r *Request, opts Options) (*grpcSender, error) {
	s := &grpcSender{connections: conns, method: "/" + r.RPC, keys: opts.IdempotencyKeys, timeout: opts.Timeout}
	service, method, _ := strings.Cut(r.RPC, "/")
	files, err := describe(ctx, conns[0], service)
	if err != nil {
		return nil, err
	}
	d, err := files.FindDescriptorByName(protoreflect.FullName(service))
	if err != nil {
		return nil, fmt.Errorf("the server has no service %s", service)
	}
	sd, ok := d.(protoreflect.ServiceDescriptor)
	if !ok {
		return nil, fmt.Errorf("%s is no service", service)
	}
	md := sd.Methods().ByName(protoreflect.Name(method))
	switch {
	case md == nil:
		return nil, fmt.Errorf("service %s has no method %s", service, method)
	case md.IsStreamingClient() || md.IsStreamingServer():
		return nil, fmt.Errorf("%s streams: only unary methods can be sent", r.RPC)
	}
	s.input, s.output = md.Input(), md.Output()
	body, err := r.body()
	if err != nil {
		return nil, err
	}
	if body == nil {
		body = []byte("{}")
	}
	if s.body, err = compileBody(body); err != nil {
		return nil, err
	}
	for name, value := range r.Headers {
		t, err := compile(value)
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", name, err)
		}
		s.headers = append(s.headers, header{strings.ToLower(name), t})
	}
	_, err = s.message(rand.New(rand.NewPCG(0, 0)))
	return s, err
}

func (s *grpcSender) message(rng *rand.Rand) (proto.Message, error) {
	in := dynamicpb.NewMessage(s.input)
	if err := protojson.Unmarshal(s.body.fill(nil, rng), in); err != nil {
		return nil, fmt.Errorf("body does not fit %s: %w", s.input.FullName(), err)
	}
	return in, nil
}

func (s *grpcSender) send(ctx context.Context, rng *rand.Rand) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	for _, h := range s.headers {
		ctx = metadata.AppendToOutgoingContext(ctx, h.name, string(h.value.fill(nil, rng)))
	}
	if s.keys {
		ctx = metadata.AppendToOutgoingContext(ctx, "idempotency-key", uuid.NewString())
	}
	in, err := s.message(rng)
	if err != nil {
		return err
	}
	conn := s.connections[rng.IntN(len(s.connections))]
	if err := conn.Invoke(ctx, s.method, in, dynamicpb.NewMessage(s.output)); err != nil {
		return statusError("grpc " + status.Code(err).String())
	}
	return nil
}

// describe asks the server for the files that define a service.
func describe(ctx context.Context, conn *grpc.ClientConn, service string) (*protoregistry.Files, error) {
	stream, err := reflection.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask the server for its services: %w", err)
	}
	set := &descriptorpb.FileDescriptorSet{}
	have := map[string]bool{}
	ask := func(req *reflection.ServerReflectionRequest) error {
		if err := stream.Send(req); err != nil {
			return err
		}
		resp, err := stream.Recv()
		if err != nil {
			return err
		}
		if e := resp.GetErrorResponse(); e != nil {
			return fmt.Errorf("the server does not know %s: %s", service, e.ErrorMessage)
		}
		for _, raw := range resp.GetFileDescriptorResponse().GetFileDescriptorProto() {
			file := &descriptorpb.FileDescriptorProto{}
			if err := proto.Unmarshal(raw, file); err != nil {
				return err
			}
			if !have[file.GetName()] {
				have[file.GetName()] = true
				set.File = append(set.File, file)
			}
		}
		return nil
	}
	if err := ask(&reflection.ServerReflectionRequest{
		MessageRequest: &reflection.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: service},
	}); err != nil {
		return nil, fmt.Errorf("ask the server for %s by gRPC reflection, which it has to serve: %w", service, err)
	}
	for i := 0; i < len(set.File); i++ { // files that it imports are appended meanwhile
		for _, name := range set.File[i].GetDependency() {
			if have[name] {
				continue
			}
			if err := ask(&reflection.ServerReflectionRequest{
				MessageRequest: &reflection.ServerReflectionRequest_FileByFilename{FileByFilename: name},
			}); err != nil {
				return nil, fmt.Errorf("ask the server for %s: %w", name, err)
			}
		}
	}
	return protodesc.NewFiles(set)
}
